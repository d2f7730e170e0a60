"""`neurofuse predict --cohort TABLE`: from the table to the results, going on where an earlier run was cut off."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cohort.picture import counts, draw_summary
from app.cohort.results import ANSWERED, FAILED, Line, ResultsFile, columns, read_results
from app.cohort.run import Engine, answer_rows
from app.cohort.table import Row, read_table
from app.imaging.isolation import ImageWorkers
from app.main import read_limits, worker_limits
from app.model_package.package import Package
from app.predictions.start import start_as_set
from app.settings import Settings

SOME_FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit status of a program that Ctrl-C ended, by the shell's custom."""


def predict_cohort(table: Path, out: Path, package: Package, settings: Settings) -> int:
    """Answer every row of a table.

    A row whose files, record and package are those of an earlier answer in `out` keeps it; what failed is tried again.

    Args:
        table: CSV file, see `app.cohort.table`.
        out: CSV file of the results; a picture of the same name and `.svg` lies beside it.
        package: Which answers.
        settings: Provider, threads and bounds.

    Returns:
        0, 1 where some row could not be answered, 130 after Ctrl-C.

    Raises:
        NeuroFuseError: The table cannot be read, or the package is not fit to answer.
    """
    cohort = read_table(table, package.manifest.ehr)
    console = Console(stderr=True)
    console.print(f"{package.manifest.title}. {package.manifest.intended_use}", markup=False, highlight=False)
    _tell_columns(cohort.features, cohort.ignored, console)
    digests = {row.name: row.digest(package.sha256) for row in cohort.rows}
    header = columns(package.manifest)
    kept = [line for line in read_results(out, header) if _holds(line, digests)]
    done = {line["id"] for line in kept}
    todo = [(row, digests[row.name]) for row in cohort.rows if row.name not in done]
    out.parent.mkdir(parents=True, exist_ok=True)
    results, interrupted = ResultsFile(out, header, kept), False
    try:
        _answer(todo, len(kept), results, package, settings, console)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        results.close([row.name for row in cohort.rows])
    lines = list(results.lines.values())
    draw_summary(lines, package.manifest, out.with_suffix(".svg"))
    _tell_end(lines, len(cohort.rows), out, console)
    if interrupted:
        console.print("Interrupted; the same command goes on.")
        return INTERRUPTED
    return SOME_FAILED if any(line["status"] == FAILED for line in lines) else 0


def _holds(line: Line, digests: dict[str, str]) -> bool:
    return line["status"] == ANSWERED and digests.get(line["id"]) == line["case"]


def _answer(
    todo: Sequence[tuple[Row, str]],
    kept: int,
    results: ResultsFile,
    package: Package,
    settings: Settings,
    console: Console,
) -> None:
    if not todo:
        return
    predictor = start_as_set(settings)(package)
    limits = worker_limits(settings)
    with closing(ImageWorkers(limits)) as loader, _bar(console) as progress:
        bar = progress.add_task("cases", total=kept + len(todo), completed=kept)
        for line in answer_rows(todo, Engine(predictor, loader, read_limits(settings), limits.workers)):
            results.add(line)
            progress.advance(bar)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _tell_columns(features: Sequence[str], ignored: Sequence[str], console: Console) -> None:
    console.print(f"features: {', '.join(features) or 'none'}", markup=False, highlight=False)
    if ignored:
        console.print(f"passed over: {', '.join(ignored)}", markup=False, highlight=False)


def _tell_end(lines: Sequence[Line], rows: int, out: Path, console: Console) -> None:
    found = ", ".join(f"{name} {count}" for name, count in counts(lines).items() if count)
    console.print(f"{len(lines)} of {rows} rows: {found}", markup=False, highlight=False)
    console.print(f"{out}, {out.with_suffix('.svg').name}", markup=False, highlight=False, soft_wrap=True)
