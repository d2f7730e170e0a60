import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PYTHON, ROOT } from "./service";

export type Made = { id: string; image: { modality: string } };

/** An answered case whose image is kept, as the page would make it. */
export async function makeCase(
  url: string,
  task: "gos" | "ad",
  path: string,
  record: object,
  keep: "image" | null = "image",
  reference: string | null = null,
): Promise<Made> {
  const form = new FormData();
  form.append("task", task);
  form.append("ehr", JSON.stringify(record));
  form.append("explain", "ehr");
  if (keep) form.append("keep", keep);
  if (reference) form.append("reference", reference);
  const files = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  files.forEach((file, index) => {
    form.append("image", new Blob([readFileSync(file)]), String(index));
  });
  const response = await fetch(`${url}/predict`, { method: "POST", body: form });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json() as Promise<Made>;
}

const PEAKS = `
import json, sys, urllib.request, tempfile
import nibabel, numpy
with tempfile.NamedTemporaryFile(suffix=".nii.gz") as file:
    file.write(urllib.request.urlopen(sys.argv[1]).read())
    file.flush()
    image = nibabel.load(file.name)
    values = numpy.asarray(image.dataobj)
    voxels = numpy.argwhere(values == values.max())
    print(json.dumps(nibabel.affines.apply_affine(image.affine, voxels).tolist()))
`;

/** World places, RAS mm, of every voxel with the heatmap's highest value, as nibabel reads the file. */
export function peaksByNibabel(url: string, id: string): [number, number, number][] {
  const printed = execFileSync(PYTHON, ["-c", PEAKS, `${url}/predictions/${id}/heatmap.nii.gz`], {
    cwd: ROOT,
  });
  return JSON.parse(printed.toString()) as [number, number, number][];
}
