"""Fit a package's probabilities and prediction sets to another cohort, and publish it as a new version. Nothing is trained.

About a third of the patients fit slope and intercept of the logits, a third the sets, and the last third judges old and new version. A table that
names its splits (validation, calibration, test) is dealt as it says.

Example:
    python -m training recalibrate model_store/gos/2 /data/our-cohort --version 3
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from app.model_package.store import ModelStore
from training.commands import positive
from training.evaluation.printing import interval
from training.recalibrate import Recalibrated, recalibrate_package


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "package", type=Path, help="folder of a package, such as model_store/gos/2", metavar="PACKAGE"
    )
    parser.add_argument("cohort", type=Path, help="folder of a cohort, as for training", metavar="COHORT")
    parser.add_argument(
        "--version", type=positive, required=True, help="of the new package; never overwritten"
    )
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
    )
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes that read images (default: 1, this one)"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides who fits and who judges (default: 1)")


def run(options: argparse.Namespace) -> int:
    """Recalibrate, publish, print what it changed."""
    found = recalibrate_package(
        options.package,
        options.cohort,
        ModelStore(options.store),
        options.version,
        options.workers,
        options.seed,
    )
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(_table(found))
    if found.after.sets:
        console.print(f"sets: {found.after.sets.method}", soft_wrap=True)
    if found.after.distance:
        console.print(
            f"unlike training, before as after: {found.after.distance.flagged['test']:.0%} of these patients",
            soft_wrap=True,
        )
    console.print(f"package: {found.package.path}", soft_wrap=True)
    return 0


def _table(found: Recalibrated) -> Table:
    title = f"{found.before.row} and {found.after.row} on patients that nothing was fitted to: {found.after.event}"
    columns = ("before (95 % interval)", "recalibrated", "n")
    table = Table(Column("metric", no_wrap=True), *columns, title=title, title_justify="left")
    earlier = {each.name: each for each in found.before.metrics}
    for each in found.after.metrics:
        told = (
            f"{one.value:.3f} ({interval(one)})" if one else "-" for one in (earlier.get(each.name), each)
        )
        table.add_row(each.name, *told, str(each.n))
    table.caption = "Sensitivity and specificity are at a probability of 0.5."
    return table
