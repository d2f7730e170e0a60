"""`neurofuse predict --cohort TABLE`: from the table to the results, going on where an earlier run was cut off."""

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cohort.picture import counts, draw_summary
from app.cohort.ray_engine import answered_on_ray
from app.cohort.results import ResultsFile, columns, read_results
from app.cohort.run import answered_here
from app.cohort.server_engine import RemotePackage, answered_by_server
from app.cohort.table import Row, read_table
from app.errors import MalformedRequestError
from app.model_package.package import Package
from app.predictions.result_lines import ANSWERED, FAILED, Line
from app.settings import Settings

PICTURE: Final = ".svg"
SOME_FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit status of a program that Ctrl-C ended, by the shell's custom."""


def predict_cohort(
    table: Path,
    out: Path,
    package: Package | RemotePackage,
    settings: Settings,
    ray_address: str | None = None,
) -> int:
    """Answer every row of a table.

    A row whose files, record and package are those of an earlier answer in `out` keeps it; what failed is tried again.

    Args:
        table: CSV file, see `app.cohort.table`.
        out: CSV file of the results; a picture of the same name and `.svg` lies beside it.
        package: Which answers, here or on a service.
        settings: Provider, threads and bounds.
        ray_address: A Ray cluster whose machines answer; this machine alone where None.

    Returns:
        0, 1 where some row could not be answered, 130 after Ctrl-C.

    Raises:
        NeuroFuseError: The table cannot be read, or the package is not fit to answer.
    """
    if out.is_dir() or out.suffix == PICTURE:
        raise MalformedRequestError(
            f"Expected --out to name a CSV file; a picture of the same name and {PICTURE} goes beside it. Name another."
        )
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
    results, interrupted = ResultsFile(out, header, kept, list(digests)), False
    try:
        with results:
            if todo:
                _gather(_answered(todo, package, settings, ray_address), len(todo), results, console)
    except KeyboardInterrupt:
        interrupted = True
    lines = list(results.lines.values())
    if results.is_written:
        draw_summary(lines, package.manifest, out.with_suffix(PICTURE))
    _tell_end(lines, len(cohort.rows), out if results.is_written else None, console)
    if interrupted:
        console.print("Interrupted; the same command goes on.")
        return INTERRUPTED
    return SOME_FAILED if any(line["status"] == FAILED for line in lines) else 0


def _holds(line: Line, digests: dict[str, str]) -> bool:
    return line["status"] == ANSWERED and digests.get(line["id"]) == line["case"]


def _answered(
    todo: Sequence[tuple[Row, str]],
    package: Package | RemotePackage,
    settings: Settings,
    ray_address: str | None,
) -> Generator[Line]:
    if isinstance(package, RemotePackage):
        return answered_by_server(todo, package)
    if ray_address is None:
        return answered_here(todo, package, settings)
    return answered_on_ray(todo, package, settings, ray_address)


def _gather(answers: Generator[Line], expected: int, results: ResultsFile, console: Console) -> None:
    kept = len(results.lines)
    with closing(answers) as lines, _bar(console) as progress:
        bar = progress.add_task("cases", total=kept + expected, completed=kept)
        for line in lines:
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


def _tell_end(lines: Sequence[Line], rows: int, out: Path | None, console: Console) -> None:
    found = ", ".join(f"{name} {count}" for name, count in counts(lines).items() if count)
    console.print(f"{len(lines)} of {rows} rows: {found}", markup=False, highlight=False)
    if out is not None:
        console.print(
            f"{out}, {out.with_suffix(PICTURE).name}", markup=False, highlight=False, soft_wrap=True
        )
