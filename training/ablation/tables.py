"""The finished table as files for a paper's supplement (CSV) and for people (Markdown)."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.model_package.manifest import Metric
from training.ablation.document import Ablation, ModelTable, TableRow
from training.evaluation.comparison import ROW_METRICS
from training.evaluation.document import Comparison
from training.evaluation.printing import p_value
from training.files.whole_files import write_whole
from training.names import FULL

CSV_FILE = "table.csv"
MARKDOWN_FILE = "table.md"
SHOWN = {"auroc": "AUROC", "brier": "Brier", "calibration_slope": "slope", "nll": "NLL"}
"""Metrics of the Markdown table, with the heads of their columns."""
LEAST_NAME: Final = 14
"""Letters of a row's name in a line of a narrow terminal, where intervals take two lines instead."""


def write_tables(ablation: Ablation, folder: Path) -> None:
    """Write `table.csv` and `table.md`, each atomically."""
    writer = csv.writer(cells := io.StringIO(newline=""), lineterminator="\n")
    columns = [part for name in ROW_METRICS for part in (name, f"{name}_low", f"{name}_high")]
    writer.writerow(["row", "title", "note", "train_patients", "test_patients", "models", "failed", *columns])
    writer.writerows(_csv_row(row, table) for table in ablation.tables for row in table.rows)
    write_whole(folder / CSV_FILE, cells.getvalue())
    write_whole(folder / MARKDOWN_FILE, "\n".join(markdown(ablation)) + "\n")


def markdown(ablation: Ablation) -> Iterator[str]:
    """Lines of the Markdown document."""
    for number, table in enumerate(ablation.tables):
        if number:
            yield ""
        yield _headline(table)
        yield ""
        yield f"| | row | models | {' | '.join(SHOWN.values())} | full less row, AUROC | p (Holm) |"
        yield "|--:|---|--:|" + "---|" * len(SHOWN) + "---|--:|"
        against = {each.against: each for each in table.comparisons if each.row == FULL}
        yield from (f"| {' | '.join(_cells(row, against.get(row.name)))} |" for row in table.rows)
        if controls := list(_controls(table)):
            yield from ["", *controls]


def print_table(ablation: Ablation, console: Console) -> None:
    """Show a person the finished table; every interval is in the files."""
    for table in ablation.tables:
        console.print(f"\n{_headline(table)}", highlight=False)
        console.print(_printed(table))
        for line in _controls(table):
            console.print(line, markup=False, highlight=False)


def _printed(table: ModelTable) -> Table:
    against = {each.against: each for each in table.comparisons if each.row == FULL}
    shown = Table(
        "", "row", "n", *SHOWN.values(), "full less row", "p (Holm)", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for column in shown.columns:
        column.no_wrap = column.header not in {"row", "AUROC", "full less row"}
        column.min_width = LEAST_NAME if column.header == "row" else None
    for row in table.rows:
        number, title, models, *_ = _cells(row, against.get(row.name))
        metrics = {metric.name: metric for metric in row.metrics}
        area, *others = [metrics.get(name) for name in SHOWN]
        points = [f"{metric.value:.2f}" if metric else "" for metric in others]
        gain, p = _gain(against.get(row.name), digits=2)
        shown.add_row(number, title, models, interval(area, 2) if area else "", *points, gain, p)
    return shown


def interval(metric: Metric, digits: int = 3) -> str:
    """`0.812 (0.771 to 0.850)`."""
    return f"{metric.value:.{digits}f} ({metric.low:.{digits}f} to {metric.high:.{digits}f})"


def _headline(table: ModelTable) -> str:
    words = (
        f"Trained on {table.train_patients} patients, measured on {table.test_patients}, "
        f"{table.test_events} of them with the event."
    )
    if not table.attainable:
        return words
    return f"{words} AUROC of the true probability: {interval(table.attainable)}."


def _cells(row: TableRow, comparison: Comparison | None) -> list[str]:
    metrics = {metric.name: metric for metric in row.metrics}
    numbers = [interval(metrics[name]) if name in metrics else "" for name in SHOWN]
    title = f"{row.title} ({row.note})" if row.note else row.title
    models = f"{row.models} ({row.failed} jobs failed)" if row.failed else str(row.models)
    return [str(row.number), title, models, *numbers, *_gain(comparison)]


def _gain(comparison: Comparison | None, digits: int = 3) -> tuple[str, str]:
    if comparison is None:
        return "", ""
    return interval(comparison.difference, digits), p_value(comparison.p_holm)


def _controls(table: ModelTable) -> Iterator[str]:
    titles = {row.name: row.title for row in table.rows}
    for each in (each for each in table.comparisons if each.row != FULL):
        yield (
            f"* {titles[each.row]} less {titles[each.against]}: AUROC {interval(each.difference)}, "
            f"p (Holm) {p_value(each.p_holm)}"
        )


def _csv_row(row: TableRow, table: ModelTable) -> list[object]:
    metrics = {metric.name: metric for metric in row.metrics}
    numbers: list[object] = []
    for name in ROW_METRICS:
        metric = metrics.get(name)
        numbers += [metric.value, metric.low, metric.high] if metric else ["", "", ""]
    counts = [table.train_patients, table.test_patients, row.models, row.failed]
    return [row.name, row.title, row.note, *counts, *numbers]
