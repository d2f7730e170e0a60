"""Image and mask files, opened as training will open them: every row on its own, in as many processes as wanted."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from app.errors import NeuroFuseError
from app.imaging.head.find import find_head
from app.imaging.head.quality import judge
from app.imaging.limiting import LIMITING
from app.imaging.one_slice import read_slice, slice_on_model_grid
from app.imaging.read import read_image
from app.imaging.resample import place_model_grid
from app.imaging.volume import Finding as ImageFinding
from app.imaging.volume import Volume
from training.cohort import image_files
from training.cohort_check.finding import MEND_THE_FILE, NAME_THE_FILE, Finding, error, warning
from training.cohort_check.masks import check_masks
from training.cohort_check.orientation import canonical, orientation
from training.cohort_check.phantoms import check_phantom_image
from training.cohort_check.table import Table
from training.config import RunConfig
from training.processes.reading_processes import reading_processes

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
    rows = list(table.rows.items())
    work = partial(look_at, table=Table(table.root, table.description, {}), config=config)
    if workers == 1:
        return [work(row) for row in track(rows, "Opening images", console=console)]
    with reading_processes(workers) as pool:
        seen = pool.map(work, rows)
        return list(track(seen, "Opening images", total=len(rows), console=console))


def look_at(numbered: tuple[int, dict[str, str]], table: Table, config: RunConfig | None) -> Seen:
    """Open one row's files."""
    line, row = numbered
    findings: list[Finding] = []
    volumes: dict[str, Volume] = {}
    for column in table.description.images:
        if column in row:
            volume, problems = _image(table, column, row[column], config)
            findings += problems
            findings += check_phantom_image(_files(table, row[column]), column, table.description)
            if volume:
                volumes[column] = volume
    findings += check_masks(row, volumes, table, config)
    return Seen(
        line,
        tuple(finding.model_copy(update={"rows": (line,)}) for finding in findings),
        tuple(_digest(volume) for volume in volumes.values()),
        tuple(canonical(volume.grid).spacing_mm for volume in volumes.values()),
    )


def check_duplicates(seen: Sequence[Seen], column: str) -> Iterator[Finding]:
    """Images whose voxels are the same, within a row or among rows."""
    lines: dict[str, list[int]] = defaultdict(list)
    for each in seen:
        for digest in each.digests:
            lines[digest].append(each.line)
    yield from duplicates(lines, column)


def duplicates(lines: Mapping[str, Sequence[int]], column: str) -> Iterator[Finding]:
    """Images that stand in several places.

    Args:
        lines: Of the table, by the image's digest.
        column: Or columns of the images.
    """
    if copies := [group for group in lines.values() if len(group) > 1]:
        yield error(
            "duplicate-image",
            "The same image, voxel for voxel, is there more than once.",
            "Find out whose image it is; keep one row, else one patient counts twice, and the test may know what was trained on.",
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
        if text and image_files(table.root / text)
    )


def _files(table: Table, text: str) -> tuple[Path, ...]:
    return image_files(table.root / text) if text else ()


def _image(
    table: Table, column: str, text: str, config: RunConfig | None
) -> tuple[Volume | None, list[Finding]]:
    if not text:
        return None, [error("image-missing", "No image is named.", NAME_THE_FILE, column=column)]
    files = _files(table, text)
    if not files:
        return None, [error("image-missing", "No file or folder is there.", NAME_THE_FILE, column=column)]
    description = table.description
    if description.few_slices and len(files) > 1:
        remedy = f"Name one file in each of {', '.join(description.images)}."
        return None, [
            error(
                "several-files", "A folder of several files where one slice is meant.", remedy, column=column
            )
        ]
    return _opened(files, table, column, config)


def _opened(
    files: Sequence[Path], table: Table, column: str, config: RunConfig | None
) -> tuple[Volume | None, list[Finding]]:
    description = table.description
    noticed: tuple[ImageFinding, ...] = ()
    try:
        if description.few_slices:
            volume = read_slice(files[0], modality=description.modality)
            if config:
                slice_on_model_grid(volume, config.grid)
        else:
            volume = read_image(files, modality=description.modality)
            noticed = judge(volume, find_head(volume))
            if config:
                place_model_grid(volume, config.grid)
    except OSError:
        return None, [
            error("image-missing", "The file is there, and cannot be read.", MEND_THE_FILE, column=column)
        ]
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
    return volume, list(_limiting((*volume.findings, *noticed), column))


def _limiting(noticed: Iterable[ImageFinding], column: str) -> Iterator[Finding]:
    """What the service would warn of with every answer: nobody should learn from such an image, or be judged by it, unseen."""
    for code in sorted({each.code for each in noticed} & LIMITING):
        yield warning(
            code,
            "The image can be read; the service would limit its answer by this warning.",
            "Look at it (`neurofuse inspect`); name another image, or leave the row out where the model should neither learn from it nor be "
            "judged by it. Keep it where such patients are meant.",
            column=column,
        )


def _digest(volume: Volume) -> str:
    if volume.grid.shape != volume.voxels.shape:
        order, flips = [0, 1, 2], [False] * 3  # a corrected grid; the stored voxels are compared as they are
    else:
        order, flips = orientation(volume.grid)
    voxels = volume.voxels.transpose(order)
    turned = voxels[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    content = np.ascontiguousarray(turned, np.float32)
    return hashlib.sha256(str(content.shape).encode() + content.tobytes()).hexdigest()
