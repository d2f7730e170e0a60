"""Image and mask files, opened as training will open them: every row on its own, in as many processes as wanted."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from app.errors import NeuroFuseError
from app.imaging.head import find_head
from app.imaging.one_slice import read_slice, slice_on_model_grid
from app.imaging.quality import judge
from app.imaging.read import read_image, read_mask
from app.imaging.resample import place_model_grid
from app.imaging.volume import Grid, Volume
from training.cohort import image_files
from training.cohort_check.finding import Finding, error, warning
from training.cohort_check.phantoms import check_phantom_image
from training.cohort_check.table import Table
from training.config import RunConfig

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Seen:
    """One row's files.

    Attributes:
        line: Of the table.
        findings: What is wrong with them.
        digests: Of the voxels of each image that could be read, turned to one orientation.
        spacings_mm: Of each of them, x, y, z.
    """

    line: int
    findings: tuple[Finding, ...]
    digests: tuple[str, ...]
    spacings_mm: tuple[Spacing, ...]


def look(table: Table, config: RunConfig | None, workers: int, console: Console) -> list[Seen]:
    """Open every image and mask, with a progress bar.

    Args:
        table: The cohort.
        config: Of the run; its guidance says which values of a mask count.
        workers: Processes; 1 works in this one.
        console: For the bar.
    """
    rows = list(table.lines())
    work = partial(look_at, table=Table(table.root, table.description, table.rows[:1]), config=config)
    if workers == 1:
        return [work(row) for row in track(rows, "Opening images", console=console)]
    with ProcessPoolExecutor(workers) as pool:
        seen = pool.map(work, rows, chunksize=2)
        return list(track(seen, "Opening images", total=len(rows), console=console))


def look_at(numbered: tuple[int, dict[str, str]], table: Table, config: RunConfig | None) -> Seen:
    """Open one row's files."""
    line, row = numbered
    findings: list[Finding] = []
    volumes: list[Volume] = []
    for column in table.description.images:
        if column in row:
            volume, problems = _image(table, column, row[column], config)
            findings += problems
            findings += check_phantom_image(_files(table, row[column]), column, table.description)
            volumes += [volume] if volume else []
    if mask := row.get("mask", ""):
        findings += _mask(table, mask, volumes, config)
    return Seen(
        line,
        tuple(finding.model_copy(update={"rows": (line,)}) for finding in findings),
        tuple(_digest(volume) for volume in volumes),
        tuple(_canonical(volume.grid).spacing_mm for volume in volumes),
    )


def check_duplicates(seen: Sequence[Seen], column: str) -> Iterator[Finding]:
    """Images whose voxels are the same, within a row or among rows."""
    lines: dict[str, list[int]] = defaultdict(list)
    for each in seen:
        for digest in each.digests:
            lines[digest].append(each.line)
    if copies := [group for group in lines.values() if len(group) > 1]:
        yield error(
            "duplicate-image",
            "The same image, voxel for voxel, is there more than once.",
            "Find out whose image it is; keep one row, else the test may know what was trained on.",
            column=column,
            rows=sorted({line for group in copies for line in group}),
        )


def spacing_ranges(seen: Iterable[Seen]) -> tuple[tuple[float, float], ...]:
    """Least and greatest spacing in mm along x, y, z; empty where no image could be read."""
    spacings = [spacing for each in seen for spacing in each.spacings_mm]
    if not spacings:
        return ()
    table = np.array(spacings)
    return tuple(zip(table.min(axis=0).tolist(), table.max(axis=0).tolist(), strict=True))


def sources(table: Table) -> Counter[str]:
    """How many images are single files, and how many folders."""
    return Counter(
        "folder" if (table.root / text).is_dir() else "file"
        for column in table.description.images
        for _, text in table.cells(column)
        if text and (table.root / text).exists()
    )


def _files(table: Table, text: str) -> tuple[Path, ...]:
    return image_files(table.root / text) if text else ()


def _image(
    table: Table, column: str, text: str, config: RunConfig | None
) -> tuple[Volume | None, list[Finding]]:
    if not text:
        return None, [error("image-missing", "No image is named.", _NAME_IT, column=column)]
    files = _files(table, text)
    if not files:
        return None, [error("image-missing", "No file or folder is there.", _NAME_IT, column=column)]
    description = table.description
    if description.few_slices and len(files) > 1:
        remedy = f"Name one file in each of {', '.join(description.images)}."
        return None, [
            error(
                "several-files", "A folder of several files where one slice is meant.", remedy, column=column
            )
        ]
    try:
        if description.few_slices:
            volume = read_slice(files[0], modality=description.modality)
            if config:
                slice_on_model_grid(volume, config.grid)
        else:
            volume = read_image(files, modality=description.modality)
            judge(volume, find_head(volume))
            if config:
                place_model_grid(volume, config.grid)
    except NeuroFuseError as problem:
        found, _, remedy = problem.detail.rpartition(". ")
        return None, [
            error(
                problem.code,
                f"{found or problem.title}.".replace("..", "."),
                remedy or problem.detail,
                column=column,
            )
        ]
    return volume, []


_NAME_IT = "Write the path relative to the cohort's folder; capitals matter."


def _mask(table: Table, text: str, volumes: Sequence[Volume], config: RunConfig | None) -> Iterator[Finding]:
    if table.description.few_slices:
        yield error(
            "mask-not-read",
            "Masks of few-slice images are not read.",
            "Leave the cells empty.",
            column="mask",
        )
        return
    if not (table.root / text).is_file():
        yield error("mask-missing", "No such file.", _NAME_IT, column="mask")
        return
    try:
        mask = read_mask(table.root / text)
    except NeuroFuseError as problem:
        yield error(problem.code, problem.detail, "Save the mask as NIfTI.", column="mask")
        return
    if volumes and not _same_place(mask.grid, volumes[0].grid):
        yield error(
            "mask-off-grid",
            "The mask does not lie on the image's grid.",
            "Draw it on this very image, or resample it with nearest neighbours.",
            column="mask",
        )
    counted = np.isin(mask.voxels, config.guidance.labels) if config else mask.voxels != 0
    if not counted.any():
        values = f"the values {list(config.guidance.labels)}" if config else "a value other than 0"
        yield warning(
            "mask-empty",
            f"No voxel has {values}.",
            "Draw it, or leave the cell empty; see guidance.labels of the configuration.",
            column="mask",
        )


def _same_place(one: Grid, other: Grid) -> bool:
    """Whether both hold the same voxels, whatever the order and direction of their axes: within half a voxel at each corner."""
    a, b = _canonical(one), _canonical(other)
    if a.shape != b.shape:
        return False
    last = np.array([*(n - 1 for n in a.shape), 1.0])
    corners = (np.array([0, 0, 0, 1.0]), last)
    apart = [np.abs((a.affine - b.affine) @ corner).max() for corner in corners]
    return bool(max(apart) < min(a.spacing_mm) / 2)


def _canonical(grid: Grid) -> Grid:
    """The same voxels with axes nearest to Right, Anterior, Superior."""
    order, flips = _orientation(grid)
    affine = grid.affine[:, [*order, 3]].copy()
    shape = [grid.shape[axis] for axis in order]
    for axis in range(3):
        if flips[axis]:
            affine[:, 3] += (shape[axis] - 1) * affine[:, axis]
            affine[:, axis] *= -1
    return Grid((shape[0], shape[1], shape[2]), affine)


def _orientation(grid: Grid) -> tuple[list[int], list[bool]]:
    nearness = np.abs(grid.affine[:3, :3]) / np.linalg.norm(grid.affine[:3, :3], axis=0)
    order = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(nearness)), nearness.shape)
        order[int(world)] = int(axis)
        nearness[world, :] = nearness[:, axis] = -1
    return order, [bool(grid.affine[world, axis] < 0) for world, axis in enumerate(order)]


def _digest(volume: Volume) -> str:
    if volume.grid.shape != volume.voxels.shape:
        order, flips = [0, 1, 2], [False] * 3  # a corrected grid; the stored voxels are compared as they are
    else:
        order, flips = _orientation(volume.grid)
    voxels = volume.voxels.transpose(order)
    turned = voxels[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    content = np.ascontiguousarray(turned, np.float32)
    return hashlib.sha256(str(content.shape).encode() + content.tobytes()).hexdigest()
