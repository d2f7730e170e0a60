"""The table that is sent: one row a patient, a column `image`, and a column for each feature that is known.

    id       the row's name in the results; the row's number where there is no such column (`patient_id` does as well)
    image    a file (NIfTI, DICOM or zip) or a folder of them, relative to the table
    ...      features of the package by their names, in the model's units; an empty cell is missing

Other columns are passed over and named.
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
from app.errors import MalformedRequestError
from app.imaging.folders import files_in
from app.predictions.feedback_csv import cell

IMAGE: Final = "image"
NAMES: Final = ("id", "patient_id")


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
        files = files_in([self.image]) if self.image.exists() else ()
        stamps = [(str(file.resolve()), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
        key = json.dumps([stamps, dict(self.record), package_sha256], sort_keys=True)
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
        MalformedRequestError: It has no column `image`, one of those that are read twice, no row, a row without an image or of another
            length, or a name twice.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            lines = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise MalformedRequestError(
                f"Expected a CSV file in UTF-8; line {reader.line_num + 1} is something else."
            ) from error
        columns = tuple(reader.fieldnames or ())
    if IMAGE not in columns or not lines:
        raise MalformedRequestError(
            "Expected a CSV file with a column `image` and at least one row below it."
        )
    kinds = {feature.name: feature.kind for feature in schema.features}
    naming = next((name for name in NAMES if name in columns and name not in kinds), None)
    _require_once(columns, {IMAGE, naming, *kinds})
    rows = tuple(_row(number, line, naming, kinds, path.parent) for number, line in enumerate(lines, start=1))
    if len({row.name for row in rows}) < len(rows):
        raise MalformedRequestError(
            f"Expected every {naming} once; some stand in several rows. Name rows apart."
        )
    features = tuple(name for name in columns if name in kinds)
    ignored = tuple(name for name in columns if name not in {*features, IMAGE, naming})
    return CohortTable(rows, features, ignored)


def _require_once(columns: Sequence[str], read: Set[str | None]) -> None:
    twice = sorted({name for name in columns if name in read and columns.count(name) > 1})
    if twice:
        raise MalformedRequestError(
            f"Expected every column that is read once; {', '.join(twice)} stands twice. Take out the one that is not meant."
        )


def _row(
    number: int, line: Mapping[str, str | None], naming: str | None, kinds: Mapping[str, str], folder: Path
) -> Row:
    # csv puts what is too long under the key None, and None where a row is too short.
    if None in line or any(text is None for text in line.values()):
        raise MalformedRequestError(f"Expected as many cells as columns; row {number} has another number.")
    cells = {name: (text or "").strip() for name, text in line.items()}
    if not cells[IMAGE]:
        raise MalformedRequestError(f"Expected a file or folder under `image`; row {number} names none.")
    record = {name: _value(cells[name], kind) for name, kind in kinds.items() if cells.get(name)}
    name = cells[naming] if naming else ""
    return Row(cell(name or str(number)), folder / cells[IMAGE], record)


def _value(text: str, kind: str) -> object:
    """A number where the feature is one; what is no number stays text, and is refused by name when the record is encoded."""
    if kind != "numeric":
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text  # JSON, in which a record travels, has no nan
