"""The report for a person: the summary, then one table of what to mend, fit for a terminal of 100 columns."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from training.cohort import SPLITS
from training.cohort_check.finding import Finding
from training.cohort_check.report import Report, Summary

MOST_ROWS = 6
"""Rows of the table that are told; the rest is in the JSON file."""
STYLES = {"error": "bold red", "warning": "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print summary, findings and the verdict."""
    if report.summary:
        console.print(_summary(report.summary))
    if report.findings:
        console.print(findings_table(report.findings))
    errors = len(report.errors)
    warnings = len(report.findings) - errors
    if errors:
        words = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}: mend the errors before training."
        console.print(Text(words, style="bold red"))
    elif warnings:
        console.print(Text(f"No errors, {_count(warnings, 'warning')}: ready to train.", style="yellow"))
    else:
        console.print(Text("Nothing is wrong: ready to train.", style="green"))


def where(finding: Finding, most: int = MOST_ROWS) -> str:
    """`age: rows 3, 7 to 9 and 12 more`; the header is row 1."""
    if not finding.rows:
        return finding.column or "cohort"
    runs = list(_runs(finding.rows))
    told = runs[:most]
    left = len(finding.rows) - sum(last - first + 1 for first, last in told)
    words = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in told)
    rows = f"row{'s' if len(finding.rows) > 1 else ''} {words}" + (f" and {left} more" if left else "")
    return f"{finding.column}: {rows}" if finding.column else rows


def findings_table(findings: Sequence[Finding]) -> Table:
    """What is wrong, where, and how to mend it."""
    table = Table("", "code, where", "what is wrong, how to mend it", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[1].max_width = 36
    # Else of two long names with one beginning nobody could tell which is meant.
    table.columns[1].overflow = "fold"
    for finding in findings:
        table.add_row(
            Text(finding.severity, style=STYLES[finding.severity]),
            Text.assemble((finding.code, "bold"), "\n", where(finding)),
            Text.assemble(finding.problem, "\n", (finding.remedy, "cyan")),
        )
    return table


def _summary(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, words in _lines(summary):
        table.add_row(name, Text(words))
    return table


def _lines(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "patients", f"{summary.patients} ({summary.task}, {summary.modality})"
    yield "outcome", ", ".join(f"{title} {count}" for title, count in summary.outcome.items())
    named = [f"{split} {summary.splits[split]}" for split in SPLITS if summary.splits.get(split)]
    left = summary.splits.get("", 0) or (summary.patients if not summary.splits else 0)
    yield "splits", ", ".join([*named, *([f"{left} for training to deal"] if left else [])])
    if summary.sites:
        yield "sites", ", ".join(f"{site} {count}" for site, count in sorted(summary.sites.items()))
    kinds = {"file": "files", "folder": "folders"}
    images = ", ".join(f"{count} {kinds[kind]}" for kind, count in sorted(summary.images.items()))
    yield (
        "images",
        (images or "none") + (f", {summary.slices} slices of each patient" if summary.slices > 1 else ""),
    )
    if summary.spacing_mm:
        axes = zip("xyz", summary.spacing_mm, strict=True)
        yield "spacing", ", ".join(f"{axis} {_range(*each)}" for axis, each in axes) + " mm"
    gaps = sorted(((share, name) for name, share in summary.missing.items() if share), reverse=True)
    yield "missing", ", ".join(f"{name} {share:.0%}" for share, name in gaps) or "nothing"


def _range(low: float, high: float) -> str:
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f}-{high:.2f}"


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches of neighbouring rows, first and last."""
    first = last = rows[0]
    for row in rows[1:]:
        if row > last + 1:
            yield first, last
            first = row
        last = row
    yield first, last


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
