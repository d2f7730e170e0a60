"""A cohort on disk: one table, one description, image files. Read, checked and typed; nothing is computed here.

Layout of a cohort folder:

    cohort.json   task, modality, outcome column, features (as in a manifest), where it comes from
    cohort.csv    patient_id, image, [mask], [split], <one column per feature>, outcome, [true_probability]
    ...           images (NIfTI files or folders of DICOM files) and masks, by paths relative to the folder

An empty cell is a missing value. `true_probability` exists only for phantoms, whose risk model is known.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from app.ehr.schema import EhrSchema, Feature
from app.errors import NeuroFuseError
from app.imaging.volume import Modality

Split = Literal["train", "validation", "calibration", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class CohortError(NeuroFuseError):
    """The cohort cannot be trained on as it is; the message says which row and how to mend it."""

    code = "cohort-invalid"
    title = "The cohort has errors."


class CohortDescription(BaseModel):
    """What the table's columns mean (`cohort.json`).

    Attributes:
        task: `gos` (outcome 1..5) or `ad` (outcome `cn` or `ad`).
        modality: What the images are.
        source: `phantoms`, or words for where the patients come from; goes into the model card.
        outcome: Name of the outcome column.
        positive: Words for the event whose probability is reported.
        seed: Seed of a generated cohort; null for patients.
        features: The record, in order.
        minimum_features: Fewest known features for an answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["gos", "ad"]
    modality: Modality
    source: str
    outcome: str
    positive: str
    seed: int | None
    features: tuple[Feature, ...]
    minimum_features: int

    @property
    def ehr(self) -> EhrSchema:
        """The record as `app.ehr` reads it."""
        return EhrSchema(features=self.features, minimum_features=self.minimum_features)


@dataclass(frozen=True)
class Case:
    """One patient.

    Attributes:
        patient_id: Pseudonym; one row per patient.
        image: Files of one image.
        mask: Lesion or region mask on the image's own grid, where there is one.
        split: Where the table puts the patient; None lets `split_cohort` decide.
        record: Known features only.
        label: Index of the outcome's class (GOS - 1, or cn = 0, ad = 1).
        true_probability: Of the positive event, given everything; phantoms only.
    """

    patient_id: str
    image: tuple[Path, ...]
    mask: Path | None
    split: Split | None
    record: dict[str, object]
    label: int
    true_probability: float | None


@dataclass(frozen=True)
class Cohort:
    """A checked cohort."""

    root: Path
    description: CohortDescription
    cases: tuple[Case, ...]

    def part(self, split: Split) -> tuple[Case, ...]:
        """Cases of one split, in the table's order."""
        return tuple(case for case in self.cases if case.split == split)


def load_cohort(root: Path) -> Cohort:
    """Read and check a cohort folder.

    Raises:
        CohortError: A column, row or file is missing or impossible, or one patient stands in two rows.
    """
    description = _read_description(root / "cohort.json")
    with (root / "cohort.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    _check_columns(rows, description)
    cases = tuple(_case(number, row, root, description) for number, row in enumerate(rows, start=2))
    _check_patients(cases)
    return Cohort(root=root, description=description, cases=cases)


def _read_description(path: Path) -> CohortDescription:
    if not path.is_file():
        raise CohortError(
            f"expected {path.name} beside cohort.csv, found none; describe the task and its features"
        )
    return CohortDescription.model_validate_json(path.read_bytes())


def _check_columns(rows: list[dict[str, str]], description: CohortDescription) -> None:
    if not rows:
        raise CohortError("expected at least one row in cohort.csv, found none")
    needed = {"patient_id", "image", description.outcome, *(feature.name for feature in description.features)}
    if absent := sorted(needed - set(rows[0])):
        raise CohortError(f"cohort.csv lacks the columns {absent}; add them (a cell may be empty)")


def _check_patients(cases: tuple[Case, ...]) -> None:
    twice = [patient for patient, count in Counter(case.patient_id for case in cases).items() if count > 1]
    if twice:
        raise CohortError(
            f"{len(twice)} patients stand in more than one row; keep one row (one visit) per patient"
        )


def _case(number: int, row: dict[str, str], root: Path, description: CohortDescription) -> Case:
    split = row.get("split") or None
    if split is not None and split not in SPLITS:
        raise CohortError(f"row {number}: split must be one of {list(SPLITS)} or empty")
    truth = row.get("true_probability")
    return Case(
        patient_id=row["patient_id"],
        image=_image_files(number, root / row["image"]),
        mask=root / row["mask"] if row.get("mask") else None,
        split=next((name for name in SPLITS if name == split), None),
        record={
            feature.name: _cell(number, row[feature.name], feature)
            for feature in description.features
            if row[feature.name]
        },
        label=_label(number, row[description.outcome], description),
        true_probability=float(truth) if truth else None,
    )


def _image_files(number: int, path: Path) -> tuple[Path, ...]:
    files = tuple(sorted(file for file in path.rglob("*") if file.is_file())) if path.is_dir() else (path,)
    if not files or not files[0].is_file():
        raise CohortError(
            f"row {number}: the image file or folder does not exist; paths are relative to the cohort folder"
        )
    return files


def _cell(number: int, text: str, feature: Feature) -> object:
    if feature.kind == "categorical":
        return text
    try:
        return float(text)
    except ValueError:
        raise CohortError(
            f"row {number}: {feature.name} must be a number in {feature.unit} or empty"
        ) from None


def _label(number: int, text: str, description: CohortDescription) -> int:
    levels = ("1", "2", "3", "4", "5") if description.task == "gos" else ("cn", "ad")
    if text not in levels:
        raise CohortError(f"row {number}: {description.outcome} must be one of {list(levels)}")
    return levels.index(text)
