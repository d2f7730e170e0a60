"""Masks, opened as training will open them: one for a volume, or one for each slice of it, on the image's own grid."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from app.errors import NeuroFuseError
from app.imaging.one_slice import read_slice_mask
from app.imaging.read import read_mask
from app.imaging.volume import Volume
from training.cohort import UNNAMED_MASKS, image_files
from training.cohort_check.finding import MEND_THE_FILE, NAME_THE_FILE, Finding, error, warning
from training.cohort_check.orientation import lies_on
from training.cohort_check.table import Table
from training.cohort_description import MASK
from training.config import RunConfig


def check_masks(
    row: Mapping[str, str], volumes: Mapping[str, Volume], table: Table, config: RunConfig | None
) -> Iterator[Finding]:
    """Findings of one patient's masks.

    Args:
        row: Of the table.
        volumes: Its images that could be read, by column.
        table: The cohort.
        config: Its guidance says which values of a mask count.
    """
    columns = table.description.mask_columns
    if not any(row.get(column) for column in columns):
        if not columns and row.get(MASK):
            yield error(
                "mask-not-read", f"There is {UNNAMED_MASKS}.", "Or leave the cells empty.", column=MASK
            )
        return
    masks: list[Volume] = []
    images = {
        file
        for name in table.description.images
        if row.get(name)
        for file in image_files(table.root / row[name])
    }
    for column, image in zip(columns, table.description.images, strict=True):
        if row.get(column) and table.root / row[column] in images:
            remedy = "Name the file of the mask, or leave the cell empty."
            yield error("mask-is-image", "The mask is the image itself.", remedy, column=column)
            continue
        mask, problems = _mask(table, column, row.get(column, ""))
        yield from problems
        if mask is None:
            continue
        masks.append(mask)
        if image in volumes and not lies_on(mask.grid, volumes[image]):
            yield error(
                "mask-off-grid",
                "The mask does not lie on the image's grid.",
                "Draw it on this very image, or resample it with nearest neighbours.",
                column=column,
            )
    if len(masks) == len(columns) and not any(_counts(mask, config) for mask in masks):
        values = f"the values {list(config.guidance.labels)}" if config else "a value other than 0"
        yield warning(
            "mask-empty",
            f"No voxel has {values}.",
            "Draw it, or leave the cell empty; see guidance.labels of the configuration.",
            column=", ".join(columns),
        )


def check_shared_masks(table: Table) -> Iterator[Finding]:
    """One mask in the rows of several patients, as where a row was copied to make another."""
    for column in table.description.mask_columns:
        lines: dict[Path, list[int]] = defaultdict(list)
        for line, text in table.cells(column):
            if text:
                lines[Path(text)].append(line)
        if shared := [line for group in lines.values() if len(group) > 1 for line in group]:
            yield warning(
                "mask-shared",
                "Patients share a mask.",
                "Name each patient's own; only a mask that is all 0 may serve several.",
                column=column,
                rows=sorted(shared),
            )


def _mask(table: Table, column: str, text: str) -> tuple[Volume | None, list[Finding]]:
    if not text:
        remedy = "Name one for every slice (all 0 where there is nothing to mark), or leave all cells of the row empty."
        return None, [
            error("mask-missing", "Other slices of the patient have a mask.", remedy, column=column)
        ]
    if image_files(table.root / text) != (table.root / text,):
        return None, [error("mask-missing", "No such file.", NAME_THE_FILE, column=column)]
    read = read_slice_mask if table.description.few_slices else read_mask
    try:
        return read(table.root / text), []
    except OSError:
        return None, [
            error("mask-missing", "The file is there, and cannot be read.", MEND_THE_FILE, column=column)
        ]
    except NeuroFuseError as problem:
        return None, [error(problem.code, problem.detail, "Save the mask as NIfTI.", column=column)]


def _counts(mask: Volume, config: RunConfig | None) -> bool:
    counted = np.isin(mask.voxels, config.guidance.labels) if config else mask.voxels != 0
    return bool(counted.any())
