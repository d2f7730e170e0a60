"""The table that is sent: one row a patient, a column `image`, and a column for each feature that is known.

    id       the row's name in the results; the row's number where there is no such column (`patient_id` does as well)
    image    a file (NIfTI, DICOM or zip) or a folder of them, relative to the table
    ...      features of the package by their names, in the model's units; an empty cell is missing

Other columns are passed over and named; one that differs from these by capitals alone is refused, as nobody means to leave it out.
"""

import csv
import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.ehr.schema import EhrSchema
from app.errors import MalformedRequestError, NoUsableSeriesError
from app.imaging.files.folders import files_in
from app.predictions.feedback_csv import cell

IMAGE: Final = "image"
NAMES: Final = ("id", "patient_id")
SEPARATOR: Final = "sep=,"
"""First line by which a program tells Excel how cells are separated; Excel neither shows nor counts it."""


@dataclass(frozen=True)
class Row:
    """One patient.

    Attributes:
        name: As the table calls the row, and harmless in a spreadsheet.
        image: File or folder; it need not exist.
        record: Feature to number or category; what is missing is not in it.
    """

    name: str
    image: Path
    record: Mapping[str, object]

    def digest(self, package_sha256: str) -> str:
        """Changes when anything does that the answer depends on: files by place, size and time, the record, the package."""
        key = json.dumps([_stamps(self.image), dict(self.record), package_sha256], sort_keys=True)
        return hashlib.sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class CohortTable:
    """A table, read.

    Attributes:
        rows: In the table's order.
        features: Columns that are features of the package.
        ignored: Columns that are neither.
    """

    rows: tuple[Row, ...]
    features: tuple[str, ...]
    ignored: tuple[str, ...]


def read_table(path: Path, schema: EhrSchema) -> CohortTable:
    """Read the whole table before any image is opened.

    Args:
        path: CSV in UTF-8, with a header.
        schema: The record of the package that will answer.

    Raises:
        MalformedRequestError: It is separated by something else than commas, has no column `image`, a column that is read twice or in
            other capitals, no row, a row without an image or of another length, or a name twice.
    """
    columns, lines = _cells(path)
    kinds = {feature.name: feature.kind for feature in schema.features}
    naming = next((name for name in NAMES if name in columns and name not in kinds), None)
    _check_header(columns, {IMAGE, *([naming] if naming else NAMES), *kinds})
    rows = tuple(
        _row(number, line, naming, kinds, path.parent)
        for number, line in enumerate(lines, start=1)
        if any(text for text in line.values())  # spreadsheets leave rows of empty cells
    )
    if not rows:
        raise MalformedRequestError("Expected at least one row below the header; there is none.")
    if len({row.name for row in rows}) < len(rows):
        raise MalformedRequestError(
            f"Expected every {naming} once; some stand in several rows. Name rows apart."
        )
    features = tuple(name for name in columns if name in kinds)
    ignored = tuple(name for name in columns if name not in {*features, IMAGE, naming})
    return CohortTable(rows, features, ignored)


def unreadable(error: OSError) -> NoUsableSeriesError:
    """Why a row has no answer whose image cannot be opened."""
    reason = error.strerror or type(error).__name__
    return NoUsableSeriesError(
        f"Expected a file or folder that can be read where the row's `image` says, found: {reason}. Correct the row, and repeat."
    )


def _stamps(image: Path) -> list[tuple[str, int, int]]:
    """Of every file; none where there is nothing that can be read, which is told when the row is asked."""
    try:
        files = files_in([image]) if image.exists() else ()
        return [(str(file.resolve()), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    except (OSError, MalformedRequestError):
        return []


def _cells(path: Path) -> tuple[tuple[str, ...], list[dict[str | None, str | None]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            if file.readline().strip().strip('"') != SEPARATOR:
                file.seek(0)
            columns = tuple(name.strip() for name in reader.fieldnames or ())
            reader.fieldnames = columns
            return columns, list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise MalformedRequestError(
                f"Expected a CSV file in UTF-8; line {reader.line_num + 1} is something else. "
                "Spreadsheets call what is expected CSV UTF-8."
            ) from error


def _check_header(columns: Sequence[str], read: Set[str]) -> None:
    """Its names are told where we know them alone: without a header, the first row is a patient's."""
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t"):
        raise MalformedRequestError(
            "Expected cells separated by commas, found semicolons or tabs. Save the table with commas, and with decimal points."
        )
    known = {name.casefold(): name for name in read}
    if wrong := sorted(
        {known[name.casefold()] for name in columns if name.casefold() in known and name not in read}
    ):
        raise MalformedRequestError(
            f"Expected the names of columns in these letters: {', '.join(wrong)}. Rename them."
        )
    if IMAGE not in columns:
        raise MalformedRequestError("Expected a header with a column `image`; there is none of that name.")
    if twice := sorted({name for name in columns if name in read and columns.count(name) > 1}):
        raise MalformedRequestError(
            f"Expected every column that is read once; {', '.join(twice)} stands twice. Take out the one that is not meant."
        )


def _row(
    number: int,
    line: Mapping[str | None, str | None],
    naming: str | None,
    kinds: Mapping[str, str],
    folder: Path,
) -> Row:
    # csv puts what is too long under the key None, and None where a row is too short.
    if None in line or any(text is None for text in line.values()):
        raise MalformedRequestError(
            f"Expected as many cells as columns; row {number} has another number. Write a comma for every empty cell, also at the end of a row, "
            "where spreadsheets may leave them out, and put a cell that holds a comma in quotation marks."
        )
    cells = {name: (text or "").strip() for name, text in line.items() if name is not None}
    if not cells[IMAGE]:
        raise MalformedRequestError(f"Expected a file or folder under `image`; row {number} names none.")
    record = {name: _value(cells[name], kind) for name, kind in kinds.items() if cells.get(name)}
    name = cells[naming] if naming else ""
    return Row(cell(name or str(number)), folder / cells[IMAGE], record)


def _value(text: str, kind: str) -> object:
    """A number where the feature is one; what is no number stays text, and is refused by name when the record is encoded."""
    if kind != "numeric" or "_" in text:  # 1_5 is a slip, though Python reads it as 15
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text  # JSON, in which a record travels, has no nan
