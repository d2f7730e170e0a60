"""What a check says: a code that stays, where, what, and how to mend it; never a patient's value or pseudonym."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning"]
NAME_THE_FILE: Final = (
    "Write the path relative to the cohort's folder, with slashes (/); capitals matter, and how umlauts and accents are coded: files "
    "from a Mac may have them as characters of their own."
)
"""Remedy for a cell that leads to no file."""

MEND_THE_FILE: Final = "Ask for the right to read it, or copy it anew from where it came."
"""Remedy for a file that is there and yields nothing."""


class Finding(BaseModel):
    """One thing that is wrong, at all the places where it is.

    Attributes:
        code: Stable, kebab-case; listed in docs/reference/cohort.md. For an image, the code of `app.errors`.
        severity: An error stops training or spoils its result; a warning wants a decision.
        column: Of the table; empty where it concerns the whole cohort.
        rows: Lines of cohort.csv, the header being 1; empty where it concerns all.
        problem: What is wrong.
        remedy: How to mend it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    column: str = ""
    rows: tuple[int, ...] = ()
    problem: str
    remedy: str


def error(code: str, problem: str, remedy: str, *, column: str = "", rows: Iterable[int] = ()) -> Finding:
    """An error; arguments as the attributes of `Finding`."""
    return Finding(
        code=code, severity="error", column=column, rows=tuple(rows), problem=problem, remedy=remedy
    )


def warning(code: str, problem: str, remedy: str, *, column: str = "", rows: Iterable[int] = ()) -> Finding:
    """A warning; arguments as the attributes of `Finding`."""
    return Finding(
        code=code, severity="warning", column=column, rows=tuple(rows), problem=problem, remedy=remedy
    )


def joined(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same code in the same column becomes one finding with all its rows; errors first, as they were found."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        # What concerns no row in particular (two small classes) stays apart.
        groups[finding.code, finding.column if finding.rows else finding.column + finding.problem].append(
            finding
        )
    merged = [
        group[0].model_copy(update={"rows": tuple(sorted({row for each in group for row in each.rows}))})
        for group in groups.values()
    ]
    return tuple(sorted(merged, key=lambda finding: finding.severity))
