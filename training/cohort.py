"""A cohort on disk: one table, one description, image files. Read, checked and typed; nothing is computed here.

Layout of a cohort folder:

    cohort.json   task, modality, outcome column, features (as in a manifest), where it comes from
    cohort.csv    patient_id, image..., [mask...], [split], <one column per feature>, outcome, [site, date, ...], [true_probability]
    ...           images (NIfTI files or folders of DICOM files) and masks, by paths relative to the folder

An empty cell is a missing value. `true_probability` exists only for phantoms, whose risk model is known.
"""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import ValidationError

from app.ehr.schema import Feature
from app.errors import NeuroFuseError
from training.cohort_description import MASK, PHANTOMS, CohortDescription

__all__ = ["SPLITS", "Case", "Cohort", "CohortDescription", "CohortError", "Split", "load_cohort"]

Split = Literal["train", "validation", "calibration", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
TABLE_FILE: Final = "cohort.csv"
DESCRIPTION_FILE: Final = "cohort.json"


UNNAMED_MASKS: Final = 'a mask of a few-slice image, which is not read; name a column for each slice\'s mask under "masks" in cohort.json'


class CohortError(NeuroFuseError):
    """The cohort cannot be trained on as it is; the message says which row and how to mend it."""

    code = "cohort-invalid"
    title = "The cohort has errors."


@dataclass(frozen=True)
class Case:
    """One patient.

    Attributes:
        patient_id: Pseudonym; one row per patient.
        image: Files of one image, or of its slices in the order of their columns.
        masks: Lesion or region masks on their images' own grids, one for the volume or for each slice; empty where there are none.
        split: Where the table puts the patient; None lets `split_cohort` decide.
        record: Known features only.
        label: Index of the outcome's class (GOS - 1, or cn = 0, ad = 1, or unfavourable = 0, favourable = 1).
        true_probability: Of the positive event, given everything; phantoms only.
        few_slices: Whether each file of `image` is one axial slice.
        site: Hospital or scanner; None where unknown.
        date: Day of admission; None where unknown.
        subgroups: Column to value, of the columns that the description names; unknown ones are left out.
    """

    patient_id: str
    image: tuple[Path, ...]
    masks: tuple[Path, ...]
    split: Split | None
    record: dict[str, object]
    label: int
    true_probability: float | None
    few_slices: bool = False
    site: str | None = None
    date: dt.date | None = None
    subgroups: Mapping[str, str] = field(default_factory=dict)


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
    """Read and check a cohort folder; the first error ends it (`training.cohort_check` finds all of them).

    Raises:
        CohortError: A column, row or file is missing or impossible, or one patient stands in two rows.
    """
    description = read_description(root / DESCRIPTION_FILE)
    rows = read_rows(root / TABLE_FILE)
    _check_columns(rows, description)
    cases = tuple(_case(number, row, root, description) for number, row in enumerate(rows, start=2))
    _check_patients(cases)
    return Cohort(root=root, description=description, cases=cases)


def read_description(path: Path) -> CohortDescription:
    """Read `cohort.json`.

    Raises:
        CohortError: It is absent, or a field of it is missing, unknown or of the wrong kind.
    """
    if not path.is_file():
        raise CohortError(
            f"expected {path.name} beside cohort.csv, found none; describe the task and its features"
        )
    try:
        return CohortDescription.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise CohortError(f"{path.name}: {place}: {first['msg']}; see docs/reference/cohort.md") from None


def read_rows(path: Path) -> list[dict[str, str]]:
    """The table's rows; row 2 of the file, after the header, is the first.

    Raises:
        CohortError: There is no table, or it is not UTF-8.
    """
    if not path.is_file():
        raise CohortError(
            f"expected {path.name} in the cohort's folder, found none; write one row per patient"
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets begin with a byte order mark
            reader = csv.DictReader(file, restval="")
            return [{name.strip(): cell.strip() for name, cell in row.items() if name} for row in reader]
    except UnicodeDecodeError:
        raise CohortError(f"expected {path.name} in UTF-8; save it again as CSV UTF-8") from None


def _check_columns(rows: list[dict[str, str]], description: CohortDescription) -> None:
    if not rows:
        raise CohortError("expected at least one row in cohort.csv, found none")
    if absent := sorted(set(description.columns) - set(rows[0])):
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
    if truth and not description.of_phantoms:
        raise CohortError(
            f"row {number}: true_probability is known of phantoms only, and the cohort says it is of patients; "
            f'take the phantoms out, or write "source": "{PHANTOMS}" in cohort.json'
        )
    return Case(
        patient_id=row["patient_id"],
        image=_images(number, row, root, description),
        masks=_masks(number, row, root, description),
        split=next((name for name in SPLITS if name == split), None),
        record={
            feature.name: _cell(number, row[feature.name], feature)
            for feature in description.features
            if row[feature.name]
        },
        label=_label(number, row[description.outcome], description),
        true_probability=float(truth) if truth else None,
        few_slices=description.few_slices,
        site=row[description.site] or None if description.site else None,
        date=_date(number, row[description.date], description.date) if description.date else None,
        subgroups={name: row[name] for name in description.subgroups if row[name]},
    )


def _images(number: int, row: dict[str, str], root: Path, description: CohortDescription) -> tuple[Path, ...]:
    columns = [image_files(root / row[name]) for name in description.images]
    if not all(columns):
        raise CohortError(
            f"row {number}: the image file or folder does not exist; paths are relative to the cohort folder"
        )
    if description.few_slices and any(len(files) > 1 for files in columns):
        raise CohortError(f"row {number}: each of the columns {list(description.images)} must name one file")
    return tuple(file for files in columns for file in files)


def image_files(path: Path) -> tuple[Path, ...]:
    """The file, or all files in the folder; none where there is neither."""
    if path.is_dir():
        return tuple(sorted(file for file in path.rglob("*") if file.is_file()))
    return (path,) if path.is_file() else ()


def _masks(number: int, row: dict[str, str], root: Path, description: CohortDescription) -> tuple[Path, ...]:
    columns = description.mask_columns
    named = tuple(root / row[name] for name in columns if row.get(name))
    if named and len(named) < len(columns):
        raise CohortError(
            f"row {number}: some slices have a mask and others have none; name one for every slice (all 0 where there is nothing "
            "to mark), or leave all empty"
        )
    if not named and description.few_slices and row.get(MASK):
        raise CohortError(f"row {number}: {UNNAMED_MASKS}")
    return named


def _cell(number: int, text: str, feature: Feature) -> object:
    if feature.kind == "categorical":
        return text
    try:
        return float(text)
    except ValueError:
        raise CohortError(
            f"row {number}: {feature.name} must be a number in {feature.unit} or empty"
        ) from None


def _date(number: int, text: str, column: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise CohortError(f"row {number}: {column} must be a day, YYYY-MM-DD, or empty") from None


def _label(number: int, text: str, description: CohortDescription) -> int:
    words = description.outcome_words
    if text not in words:
        raise CohortError(f"row {number}: {description.outcome} must be one of {list(words)}")
    return words[text]
