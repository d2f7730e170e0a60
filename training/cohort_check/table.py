"""The table as it is, without the refusals of `load_cohort`: every cell that is there may be looked at."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from training.cohort import DESCRIPTION_FILE, SPLITS, TABLE_FILE, CohortError, parse_description, read_rows
from training.cohort_check.finding import Finding, error, warning
from training.cohort_description import CohortDescription
from training.spelling import plain


@dataclass(frozen=True)
class Table:
    """A cohort's folder, read as far as possible.

    Attributes:
        root: The folder.
        description: What the columns mean.
        rows: Cells by column, by the row's line as a spreadsheet counts it.
    """

    root: Path
    description: CohortDescription
    rows: Mapping[int, dict[str, str]]

    def cells(self, column: str) -> list[tuple[int, str]]:
        """Line and text of every cell of a column; none where there is no such column."""
        return [(line, row[column]) for line, row in self.rows.items() if column in row]

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self.header

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(next(iter(self.rows.values()), ()))


def read_table(root: Path) -> tuple[Table | None, list[Finding]]:
    """Read a folder; without a description or rows there is no table, only findings."""
    description, findings = _description(root / DESCRIPTION_FILE)
    try:
        rows = read_rows(root / TABLE_FILE)
    except CohortError as problem:
        return None, [
            *findings,
            error(
                "table-unreadable",
                problem.detail,
                "Save the table as cohort.csv, CSV in UTF-8, separated by commas.",
            ),
        ]
    if not rows:
        findings.append(
            error("table-empty", "cohort.csv has no row.", "Write one row per patient below the header.")
        )
    if description is None or not rows:
        return None, findings
    return Table(root, description, rows), findings


def check_columns(table: Table) -> Iterator[Finding]:
    """Columns that the description names and the table lacks."""
    remedy = "Add the column (a cell may be empty), or correct its name in cohort.json."
    for name in table.description.columns:
        if not table.has(name):
            yield error("column-missing", "The table has no such column.", remedy, column=name)


def check_patients(table: Table) -> Iterator[Finding]:
    """Rows without a pseudonym, patients with two rows, splits that are none."""
    lines = defaultdict(list)
    for line, patient in table.cells("patient_id"):
        lines[patient].append(line)
    if nameless := lines.pop("", None):
        yield error(
            "patient-id-missing",
            "Rows have no pseudonym.",
            "Give every patient one; a visit is not enough.",
            column="patient_id",
            rows=nameless,
        )
    if twice := [line for group in lines.values() if len(group) > 1 for line in group]:
        yield error(
            "patient-twice",
            "A patient has more than one row.",
            "Keep one row (one visit) per patient, else a patient may be trained on and tested.",
            column="patient_id",
            rows=twice,
        )
    if unknown := [line for line, split in table.cells("split") if split and split not in SPLITS]:
        yield error(
            "split-unknown",
            "The split is none of the four.",
            f"Write {', '.join(SPLITS)}, or leave the cell empty.",
            column="split",
            rows=unknown,
        )


def check_spellings(table: Table) -> Iterator[Finding]:
    """Pseudonyms, sites and subgroups that only spelling tells apart, and that so count as different ones."""
    description = table.description
    for column in dict.fromkeys(
        ["patient_id", *([description.site] if description.site else []), *description.subgroups]
    ):
        spellings: dict[str, set[str]] = defaultdict(set)
        for _, text in table.cells(column):
            spellings[plain(text)].add(text)
        if alike := [line for line, text in table.cells(column) if len(spellings[plain(text)]) > 1]:
            yield warning(
                "spelt-alike",
                "Cells differ in spelling alone (capitals, spaces, dashes, dots, zeros before a number), and count as different ones.",
                "Write the same the same way; a patient or a site of two spellings may be trained on and tested.",
                column=column,
                rows=alike,
            )


def split_counts(table: Table) -> Counter[str]:
    """Rows by the split that the table names; an empty name for those it leaves open."""
    return Counter(split for _, split in table.cells("split"))


def _description(path: Path) -> tuple[CohortDescription | None, list[Finding]]:
    if not path.is_file():
        remedy = "Describe task, features and outcome; docs/reference/cohort.md has a full example."
        return None, [error("description-missing", f"There is no {path.name} beside the table.", remedy)]
    try:
        return parse_description(path.read_bytes()), []
    except ValidationError as problem:
        return None, [
            error(
                "description-invalid",
                f"{path.name}: {'.'.join(map(str, each['loc'])) or 'the whole file'}: {each['msg']}.",
                "Compare with the example in docs/reference/cohort.md.",
            )
            for each in problem.errors()
        ]
