import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PYTHON, ROOT } from "./service";

const PHANTOMS = join(ROOT, "build/page-phantoms");
const SAMPLES = process.env.NEUROFUSE_SAMPLES;

const MAKE_PHANTOM = `
import sys
from pathlib import Path
from training.phantoms.cohort import generate_cohort
generate_cohort("gos", {"train": 1}, Path(sys.argv[1]), seed=7, dicom_share=1.0)
`;

/** A folder of DICOM files, a head CT: the real one of the samples, or a phantom of the project's own. */
export function ctFolder(): string {
  return SAMPLES ? join(SAMPLES, "ct-head-ge") : phantomFolder();
}

/** A phantom head CT as DICOM files; pictures in the documentation show this one. */
export function phantomFolder(): string {
  mkdirSync(PHANTOMS, { recursive: true });
  const images = join(PHANTOMS, "images");
  if (!existsSync(join(PHANTOMS, "cohort.csv"))) {
    execFileSync(PYTHON, ["-c", MAKE_PHANTOM, PHANTOMS], {
      cwd: ROOT,
      env: { ...process.env, OMP_NUM_THREADS: "1" },
    });
  }
  return join(images, readdirSync(images)[0] ?? "");
}

/** The golden case of a reference package: a phantom as NIfTI. */
export function goldenNifti(task: "gos" | "ad"): string {
  return join(ROOT, "model_store", task, "1/golden/image.nii.gz");
}

/** A real T1 as one zip, where the samples are. */
export function t1Zip(): string | null {
  return SAMPLES ? join(SAMPLES, "mr-t1/studyforrest-sub02-t1.zip") : null;
}
