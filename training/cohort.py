"""A cohort on disk: one table, one description, image files. Read, checked and typed; nothing is computed here.

Layout of a cohort folder:

    cohort.json   task, modality, outcome column, features (as in a manifest), where it comes from
    cohort.csv    patient_id, image..., [mask...], [split], <one column per feature>, outcome, [site, date, ...], [true_probability]
    ...           images (NIfTI files or folders of DICOM files) and masks, by paths relative to the folder

An empty cell is a missing value. `true_probability` exists only for phantoms, whose risk model is known.
"""

import csv
import datetime as dt
import math
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import ValidationError

from app.ehr.encode import encode
from app.ehr.schema import EhrSchema, Feature
from app.errors import EhrInsufficientError, EhrInvalidError, NeuroFuseError
from app.imaging.files.folders import files_below
from training.cohort_description import MASK, PHANTOMS, CohortDescription

__all__ = ["SPLITS", "Case", "Cohort", "CohortDescription", "CohortError", "Split", "load_cohort"]

Split = Literal["train", "validation", "calibration", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
TABLE_FILE: Final = "cohort.csv"
DESCRIPTION_FILE: Final = "cohort.json"
SEPARATOR: Final = "sep=,"
"""First line by which a program tells Excel how cells are separated; Excel neither shows nor counts it."""

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
        CohortError: A column, row or file is missing or impossible, or one patient or one image stands in two rows.
    """
    description = read_description(root / DESCRIPTION_FILE)
    rows = read_rows(root / TABLE_FILE)
    _check_columns(rows, description)
    schema = description.ehr
    cases = tuple(_case(number, row, root, description, schema) for number, row in rows.items())
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
        return parse_description(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise CohortError(f"{path.name}: {place}: {first['msg']}; see docs/reference/cohort.md") from None


def parse_description(content: bytes) -> CohortDescription:
    """The description, also as Windows saves it, behind a byte order mark; invalid content raises pydantic's `ValidationError`."""
    return CohortDescription.model_validate_json(content.removeprefix(BOM_UTF8))


def read_rows(path: Path) -> dict[int, dict[str, str]]:
    """The table's rows by their numbers, as a spreadsheet counts them: the header is row 1. Rows without any content are left out.

    Raises:
        CohortError: There is no table, it is not comma-separated UTF-8, or its cells cannot be told to belong to one column each.
    """
    if not path.is_file():
        raise CohortError(
            f"expected {path.name} in the cohort's folder, found none; write one row per patient"
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets begin with a byte order mark
            # Strict, since a quotation mark that is never closed would swallow the patients behind it.
            lines = list(csv.reader(file, strict=True))
    except UnicodeDecodeError:
        raise CohortError(f"expected {path.name} in UTF-8; save it again as CSV UTF-8") from None
    except csv.Error:
        raise CohortError(
            f"{path.name} holds a cell that never ends, goes on behind its closing quotation mark, or has more than "
            f"{csv.field_size_limit()} characters; correct its quotation marks, or take the column out"
        ) from None
    if lines and ",".join(lines[0]) == SEPARATOR:
        del lines[0]
    names = [name.strip() for name in lines[0]] if lines else []
    if lines:
        _check_header(names, path.name)
    return {
        number: _row(number, [cell.strip() for cell in cells], names, path.name)
        for number, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    }


def _check_header(names: list[str], table: str) -> None:
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise CohortError(
            f"{table} is separated by semicolons or tabs; save it with commas, and with decimal points"
        )
    if sum(map(bool, names)) < 2:  # noqa: PLR2004 - no table has a pseudonym alone
        raise CohortError(
            f"row 1: {table} expects a header of names with commas between them in its first line, found one name or none; take out what "
            "stands above the header, or save the table with commas"
        )
    # Told by their places: where the header is missing, the names are a patient's values.
    if alike := [place for place, name in enumerate(names, start=1) if name and names.count(name) > 1]:
        raise CohortError(
            f"row 1: {table} expects a header, every column with a name of its own, found columns {alike} with another's; keep one of each"
        )


def _row(number: int, cells: list[str], names: list[str], table: str) -> dict[str, str]:
    last = max((place for place, name in enumerate(names, start=1) if name), default=0)
    if len(cells) > len(names) or any(cells[last:]):
        # Read on, every cell behind the comma too many would stand under its neighbour's name.
        raise CohortError(
            f"row {number}: {table} has more cells here than columns; put a cell that holds a comma in quotation marks, and write "
            "decimal points, not commas"
        )
    padded = [*cells, *[""] * (len(names) - len(cells))]
    return {name: cell for name, cell in zip(names, padded, strict=False) if name}


def _check_columns(rows: Mapping[int, dict[str, str]], description: CohortDescription) -> None:
    if not rows:
        raise CohortError("expected at least one row in cohort.csv, found none")
    if absent := sorted(set(description.columns) - set(next(iter(rows.values())))):
        raise CohortError(f"cohort.csv lacks the columns {absent}; add them (a cell may be empty)")


def _check_patients(cases: tuple[Case, ...]) -> None:
    twice = [patient for patient, count in Counter(case.patient_id for case in cases).items() if count > 1]
    if twice:
        raise CohortError(
            f"{len(twice)} patients stand in more than one row; keep one row (one visit) per patient"
        )
    if shared := [
        file
        for file, count in Counter(file for case in cases for file in set(case.image)).items()
        if count > 1
    ]:
        raise CohortError(
            f"{len(shared)} image files belong to more than one patient, who might be trained on and tested; name each patient's own "
            "(`python -m training check` tells the rows)"
        )


def _case(
    number: int, row: dict[str, str], root: Path, description: CohortDescription, schema: EhrSchema
) -> Case:
    if not row["patient_id"]:
        raise CohortError(f"row {number}: patient_id is empty; give every patient a pseudonym")
    split = row.get("split") or None
    if split is not None and split not in SPLITS:
        raise CohortError(f"row {number}: split must be one of {list(SPLITS)} or empty")
    truth = row.get("true_probability")
    if truth and not description.of_phantoms:
        raise CohortError(
            f"row {number}: true_probability is known of phantoms only, and the cohort says it is of patients; "
            f'take the phantoms out, or write "source": "{PHANTOMS}" in cohort.json'
        )
    image, masks = _images(number, row, root, description), _masks(number, row, root, description)
    if set(image) & set(masks):  # its voxels of 1 and 2 HU would pass for a lesion
        raise CohortError(
            f"row {number}: the mask is the image itself; name the mask's file, or leave the cell empty"
        )
    return Case(
        patient_id=row["patient_id"],
        image=image,
        masks=masks,
        split=next((name for name in SPLITS if name == split), None),
        record=_record(number, row, schema),
        label=_label(number, row[description.outcome], description),
        true_probability=_probability(number, truth) if truth else None,
        few_slices=description.few_slices,
        site=row[description.site] or None if description.site else None,
        date=_date(number, row[description.date], description.date) if description.date else None,
        subgroups={name: row[name] for name in description.subgroups if row[name]},
    )


def _images(number: int, row: dict[str, str], root: Path, description: CohortDescription) -> tuple[Path, ...]:
    # An empty cell would name the cohort's folder, and with it the images of all others.
    columns = [image_files(root / row[name]) if row[name] else () for name in description.images]
    if not all(columns):
        raise CohortError(
            f"row {number}: the image file or folder does not exist or is not named; paths are relative to the cohort folder, with slashes (/)"
        )
    if description.few_slices and any(len(files) > 1 for files in columns):
        raise CohortError(f"row {number}: each of the columns {list(description.images)} must name one file")
    return tuple(file for files in columns for file in files)


def image_files(path: Path) -> tuple[Path, ...]:
    """The file, or all files in the folder and below; none where there is neither, or no such name can be."""
    try:
        if path.is_dir():
            return tuple(files_below(path))
        return (path,) if path.is_file() else ()
    except OSError:  # a name too long, or a folder that may not be looked into
        return ()


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
    if any(image_files(mask) != (mask,) for mask in named):
        raise CohortError(
            f"row {number}: the mask is no file; name one by its path relative to the cohort folder, or leave the cell empty"
        )
    return named


def _record(number: int, row: dict[str, str], schema: EhrSchema) -> dict[str, object]:
    """The known features, as the service would take them: before an image is opened, which takes hours for all."""
    record = {
        feature.name: _cell(number, row[feature.name], feature)
        for feature in schema.features
        if row[feature.name]
    }
    try:
        encode(record, schema)
    except EhrInvalidError as error:
        first = error.fields["features"][0]
        raise CohortError(
            f"row {number}: {first['name']} {first['problem']}; correct the cell (empty means unknown), or the feature in cohort.json"
        ) from None
    except EhrInsufficientError as error:
        raise CohortError(f"row {number}: {error.detail}") from None
    return record


def number_in(text: str) -> float:
    """The number in a cell.

    Raises:
        ValueError: It holds none; 1_5 is a slip too, though Python reads it as 15.
    """
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _probability(number: int, text: str) -> float:
    try:
        value = number_in(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise CohortError(f"row {number}: true_probability must lie between 0 and 1, or be empty")
    return value


def _cell(number: int, text: str, feature: Feature) -> object:
    if feature.kind == "categorical":
        return text
    try:
        return number_in(text)
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
    if not text:
        raise CohortError(
            f"row {number}: {description.outcome} is empty, and nothing can be learnt from a patient without an outcome; fill it in, or leave the "
            "row out"
        )
    if text not in words:
        raise CohortError(f"row {number}: {description.outcome} must be one of {list(words)}")
    return words[text]
