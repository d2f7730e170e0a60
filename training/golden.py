"""The golden case of a package: always a phantom, whatever the cohort, because a package is given away.

A site's own patients must not travel inside its packages; a phantom through the same door proves the same thing.
"""

from pathlib import Path

import numpy as np
from pydantic import JsonValue

from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Grid, Volume
from app.imaging.write import voxels_on_grid, write_nifti
from app.model_package.manifest import Task
from training.phantoms.case import SCHEMAS, CaseSeed, draw_case

GOLDEN_SEED = 20211221
"""The day arXiv:2112.11710 was submitted; a seed no cohort uses."""
THIN_BELOW_MM = 2.0


def write_golden_image(task: Task, folder: Path) -> tuple[str, dict[str, JsonValue]]:
    """Write the image of the golden phantom.

    Args:
        task: Which world the phantom comes from.
        folder: `golden/` of a package being made.

    Returns:
        Name of the image file, and the record as a client would send it.
    """
    case = draw_case(task, CaseSeed.of(GOLDEN_SEED, 0))
    _write_thinned(case.volume, folder / "image.nii.gz")
    numeric = {feature.name for feature in SCHEMAS[task].features if feature.kind == "numeric"}
    record: dict[str, JsonValue] = {
        name: float(cell) if name in numeric else cell for name, cell in case.record.items() if cell
    }
    return "image.nii.gz", record


def _write_thinned(volume: Volume, path: Path) -> None:
    """Write every second voxel along axes finer than 2 mm: the case must travel with the package, and be small."""
    steps = [2 if spacing < THIN_BELOW_MM else 1 for spacing in volume.grid.spacing_mm]
    every = tuple(slice(None, None, step) for step in steps)
    voxels = np.rint(voxels_on_grid(volume)).astype(np.int16)[every]
    affine = volume.grid.affine.copy()
    affine[:3, :3] *= steps
    i, j, k = voxels.shape
    write_nifti(voxels, Grid((i, j, k), affine), path, description=SYNTHETIC)
