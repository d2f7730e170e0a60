import { type Nifti, type Place, placeOf } from "./nifti";

/** The place of a heatmap's highest value. */
export interface Peak {
  readonly voxel: Place;
  readonly place: Place;
  readonly value: number;
}

/**
 * Finds the peak in the file itself, not in what a viewer made of it.
 *
 * The service stores 256 levels, so several neighbours may share the highest one: then it is the one of them that lies
 * nearest to their common centre. Null where the heatmap is empty.
 */
export function peakOf(heatmap: Nifti): Peak | null {
  const highest = highestOf(heatmap.voxels);
  const value = highest * heatmap.slope + heatmap.intercept;
  if (!(value > 0)) {
    return null;
  }
  const voxel = middleOf(voxelsAt(heatmap, highest));
  return { voxel, place: placeOf(heatmap.affine, voxel), value };
}

/** By index: an iterator over millions of voxels costs ten times as much. */
function highestOf(voxels: Nifti["voxels"]): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < voxels.length; index++) {
    const stored = voxels[index] as number;
    if (stored > highest) highest = stored;
  }
  return highest;
}

function voxelsAt({ voxels, shape }: Nifti, stored: number): Place[] {
  const [columns, rows] = shape;
  const found: Place[] = [];
  for (let index = voxels.indexOf(stored); index >= 0; index = voxels.indexOf(stored, index + 1)) {
    const inSlice = index % (columns * rows);
    found.push([inSlice % columns, Math.floor(inSlice / columns), Math.floor(index / (columns * rows))]);
  }
  return found;
}

function middleOf(voxels: readonly Place[]): Place {
  const mean = (axis: 0 | 1 | 2): number =>
    voxels.reduce((sum, voxel) => sum + voxel[axis], 0) / voxels.length;
  const centre: Place = [mean(0), mean(1), mean(2)];
  const squared = (voxel: Place): number =>
    (voxel[0] - centre[0]) ** 2 + (voxel[1] - centre[1]) ** 2 + (voxel[2] - centre[2]) ** 2;
  return voxels.reduce((nearest, voxel) => (squared(voxel) < squared(nearest) ? voxel : nearest));
}
