"""A cohort of phantom cases on disk, in the layout that `training.cohort` reads.

    seed, index -> case (any worker, any order) -> images/ masks/ -> rows/<id>.json, the mark that the case is complete
    all rows -> cohort.csv, cohort.json

A run that was cut off goes on where it stopped: cases whose mark agrees with the request are kept.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int16, UInt8
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.imaging.resample import sample_on_grid
from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Volume
from app.imaging.write import is_stored_lattice, voxels_on_grid, write_nifti
from app.model_package.manifest import Task
from training.cohort import DESCRIPTION_FILE, TABLE_FILE, CohortError
from training.cohort_description import PHANTOMS
from training.files.whole_files import write_whole
from training.phantoms import few_slices
from training.phantoms.case import CaseSeed, PhantomCase, draw_case
from training.phantoms.write import NIFTI_ORDERS, in_axis_order, write_dicom
from training.processes.reading_processes import reading_processes
from training.processes.threads import threads_of_children
from training.tasks import MODALITIES, SCHEMAS

GENERATOR_VERSION: Final = 2
"""Raised when a change makes other cases from the same seed; cases of another version are made anew."""
POSITIVE: Final[Mapping[Task, str]] = {
    "gos": "favourable outcome (GOS 4 or 5 at 90 days)",
    "ad": "Alzheimer's disease",
}
HALF: Final = 0.5

Row = dict[str, str]


@dataclass(frozen=True)
class CaseRequest:
    """Everything that decides the files of one case.

    Attributes:
        task: `gos` or `ad`.
        seed: Of the cohort.
        index: Of the case within the cohort.
        dicom_share: Share of the cases whose image is a folder of DICOM files.
        version: `GENERATOR_VERSION`.
        slices: How many axial slices are kept of the volume; 0 keeps all of it.
    """

    task: Task
    seed: int
    index: int
    dicom_share: float
    version: int = GENERATOR_VERSION
    slices: int = 0

    def as_marked(self) -> dict[str, object]:
        """As the mark of a finished case says it; a whole volume says nothing of slices, as marks always did."""
        if not self.slices:
            return {name: value for name, value in asdict(self).items() if name != "slices"}
        return asdict(self) | {"masks": True}  # cases of before they were written are made anew

    @property
    def patient_id(self) -> str:
        """Pseudonym, and stem of every file of the case."""
        return f"{self.task}-{self.seed}-{self.index:05d}"


def generate_cohort(  # noqa: PLR0913 - what a cohort is made of; all but three have names
    task: Task,
    counts: Mapping[str, int],
    out: Path,
    *,
    seed: int,
    workers: int = 1,
    dicom_share: float = 0.0,
    slices: int = 0,
) -> Path:
    """Writes a cohort folder; cases that are already there are kept.

    Args:
        task: `gos` or `ad`.
        counts: Cases per split, in the order of their indices.
        out: The folder; made if absent.
        seed: Equal seeds give equal cohorts, whatever the number of workers.
        workers: Processes; 1 works in this one.
        dicom_share: Share of the images written as DICOM series.
        slices: Axial slices kept of each patient (`training.phantoms.few_slices`, `gos` only); 0 keeps whole volumes.

    Returns:
        Path of the table, `cohort.csv`.

    Raises:
        CohortError: The folder holds another cohort than of phantoms.
    """
    _refuse_patients(out)
    for folder in ("images", "masks", "rows"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    splits = [split for split, count in counts.items() for _ in range(count)]
    requests = [CaseRequest(task, seed, index, dicom_share, slices=slices) for index in range(len(splits))]
    rows = dict(_finished_rows(requests, out, workers))
    _write_description(task, seed, slices, out / DESCRIPTION_FILE)
    return _write_table([{**rows[i], "split": split} for i, split in enumerate(splits)], out / TABLE_FILE)


def _refuse_patients(out: Path) -> None:
    """A hospital's table and description have the names of those that are written here."""
    description = out / DESCRIPTION_FILE
    if not description.is_file() and not (out / TABLE_FILE).exists():
        return
    try:
        source = json.loads(description.read_bytes())["source"]
    except (OSError, ValueError, KeyError, TypeError):
        source = None
    if source != PHANTOMS:
        raise CohortError(
            f"expected a new folder or a cohort of phantoms, found a {TABLE_FILE} or {DESCRIPTION_FILE} that does not say it is of phantoms, and "
            "would be written over; choose another --out"
        )


def make_case(request: CaseRequest, out: Path) -> Row:
    """Makes and writes one case, or reads its row where it is complete already.

    Returns:
        Cells of its row, all but the split.
    """
    mark = out / "rows" / f"{request.patient_id}.json"
    if mark.is_file() and (kept := json.loads(mark.read_bytes()))["request"] == request.as_marked():
        row: Row = kept["row"]
        return row
    seed = CaseSeed.of(request.seed, request.index)
    case = draw_case(request.task, seed)
    if request.slices:
        files = few_slices.write_slices(case.volume, case.mask, out, request.patient_id, request.slices)
        row = _slices_row(case, request, files)
    else:
        row = _row(case, request, _write_files(case, request, seed, out))
    write_whole(mark, json.dumps({"request": request.as_marked(), "row": row}))
    return row


def _write_files(case: PhantomCase, request: CaseRequest, seed: CaseSeed, out: Path) -> Path:
    """Writes image and mask; returns the image's path relative to the cohort."""
    stem, grid = request.patient_id, case.volume.grid
    as_dicom = seed.files.random() < request.dicom_share
    codes = str(seed.files.choice(NIFTI_ORDERS))
    write_nifti(*in_axis_order(_mask_on_grid(case), grid, codes), out / "masks" / f"{stem}.nii.gz")
    if as_dicom:
        write_dicom(case.volume, out / "images" / stem, seed.files)
        return Path("images") / stem
    image = Path("images") / f"{stem}.nii.gz"
    voxels = in_axis_order(_stored_voxels(case.volume), grid, codes)
    write_nifti(*voxels, out / image, description=SYNTHETIC)
    return image


def _stored_voxels(volume: Volume) -> Int16[np.ndarray, "I J K"]:
    """The image as a NIfTI can say it: uneven slices are brought to the patient's grid, as converters do."""
    return np.asarray(np.rint(voxels_on_grid(volume)), np.int16)


def _mask_on_grid(case: PhantomCase) -> UInt8[np.ndarray, "I J K"]:
    """The mask on the patient's grid: a voxel has the label that fills half of it or more."""
    volume = case.volume
    if is_stored_lattice(volume):
        return case.mask
    mask = np.zeros(volume.grid.shape, np.uint8)
    for label in np.unique(case.mask[case.mask > 0]):
        share = sample_on_grid(
            replace(volume, voxels=(case.mask == label).astype(np.uint8)), volume.grid, 0.0
        )
        mask[share >= HALF] = label
    return mask


def _row(case: PhantomCase, request: CaseRequest, image: Path) -> Row:
    return {
        "patient_id": request.patient_id,
        "image": image.as_posix(),
        "mask": f"masks/{request.patient_id}.nii.gz",
        "split": "",
        **case.record,
        "outcome": case.outcome,
        "true_probability": f"{case.true_probability:.8f}",
        **{f"truth_{name}": text for name, text in case.truths.items()},
    }


def _slices_row(case: PhantomCase, request: CaseRequest, files: Row) -> Row:
    return {
        "patient_id": request.patient_id,
        **files,
        "split": "",
        **{feature.name: case.record[feature.name] for feature in few_slices.SCHEMA.features},
        "outcome": few_slices.outcome_word(case.outcome),
        "true_probability": f"{case.true_probability:.8f}",
        **{f"truth_{name}": text for name, text in case.truths.items()},
    }


def _finished_rows(requests: list[CaseRequest], out: Path, workers: int) -> Iterator[tuple[int, Row]]:
    """Rows by index as they are finished, with a progress bar on the terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("Phantom cases", total=len(requests))
        for index, row in _rows(requests, out, workers):
            progress.advance(bar)
            yield index, row


def _rows(requests: list[CaseRequest], out: Path, workers: int) -> Iterator[tuple[int, Row]]:
    if workers == 1:
        yield from ((request.index, make_case(request, out)) for request in requests)
        return
    # Spawn, not fork: a fork copies the threads' locks of numeric libraries in whatever state they are.
    with threads_of_children(1), reading_processes(workers, get_context("spawn")) as pool:
        futures = {pool.submit(make_case, request, out): request.index for request in requests}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _write_description(task: Task, seed: int, slices: int, path: Path) -> None:
    schema = few_slices.SCHEMA if slices else SCHEMAS[task]
    description: dict[str, object] = {
        "task": task,
        "modality": MODALITIES[task],
        "outcome": "outcome",
        "positive": POSITIVE[task],
        "source": PHANTOMS,
        "seed": seed,
        **schema.model_dump(mode="json"),
    }
    if slices:
        description |= {
            "images": few_slices.image_columns(slices),
            "masks": few_slices.mask_columns(slices),
            "levels": few_slices.LEVELS,
        }
    write_whole(path, json.dumps(description, indent=2) + "\n")


def _write_table(rows: list[Row], path: Path) -> Path:
    writer = csv.DictWriter(text := io.StringIO(), list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_whole(path, text.getvalue())
