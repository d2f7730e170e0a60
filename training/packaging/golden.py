"""The golden case of a package: always a phantom, whatever the cohort, because a package is given away.

A site's own patients must not travel inside its packages; a phantom through the same door proves the same thing.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import JsonValue

from app.ehr.schema import EhrSchema, Feature
from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Grid, Modality, Volume
from app.imaging.write import voxels_on_grid, write_nifti
from app.model_package.manifest import Task
from training.phantoms.case import CaseSeed, draw_case
from training.tasks import MODALITIES, SCHEMAS

GOLDEN_SEED = 20211221
"""The day arXiv:2112.11710 was submitted; a seed no cohort uses."""
WORLDS: Final[Mapping[Modality, Task]] = {modality: task for task, modality in MODALITIES.items()}
THIN_BELOW_MM = 2.0


def write_golden_case(
    modality: Modality, schema: EhrSchema, folder: Path
) -> tuple[str, dict[str, JsonValue]]:
    """Write the image of the golden phantom.

    Args:
        modality: What the package reads; it decides which world the phantom comes from, for of either there is one. Whether the package
            foretells the same outcome does not matter here.
        schema: The package's record.
        folder: `golden/` of a package being made.

    Returns:
        Name of the image file, and the record as a client would send it.
    """
    task = WORLDS[modality]
    case = draw_case(task, CaseSeed.of(GOLDEN_SEED, 0))
    _write_thinned(case.volume, folder / "image.nii.gz")
    return "image.nii.gz", golden_record(task, schema, case.record)


def golden_record(task: Task, schema: EhrSchema, drawn: Mapping[str, str]) -> dict[str, JsonValue]:
    """What a record of the phantom may hold: what its world draws, where the package asks for that, and else any legal value.

    Args:
        task: Which world the phantom comes from.
        schema: The package's record; a site's own features are none of the world's.
        drawn: The phantom's record, as a table's cells; empty where unknown.
    """
    world = {feature.name: feature for feature in SCHEMAS[task].features}
    return {
        feature.name: _known(feature, world.get(feature.name), drawn.get(feature.name, ""))
        for feature in schema.features
    }


def _known(feature: Feature, in_world: Feature | None, cell: str) -> JsonValue:
    if feature.plausible_range is None:
        return cell if cell in feature.categories else feature.categories[0]
    low, high = feature.plausible_range
    if cell and in_world and in_world.unit == feature.unit and low <= float(cell) <= high:
        return float(cell)
    middle = (low + high) / 2
    return float(math.floor(middle)) if feature.is_whole else middle


def _write_thinned(volume: Volume, path: Path) -> None:
    """Write every second voxel along axes finer than 2 mm: the case must travel with the package, and be small."""
    steps = [2 if spacing < THIN_BELOW_MM else 1 for spacing in volume.grid.spacing_mm]
    every = tuple(slice(None, None, step) for step in steps)
    voxels = np.rint(voxels_on_grid(volume)).astype(np.int16)[every]
    affine = volume.grid.affine.copy()
    affine[:3, :3] *= steps
    i, j, k = voxels.shape
    write_nifti(voxels, Grid((i, j, k), affine), path, description=SYNTHETIC)
