"""`python -m training recalibrate`: fit a package to another cohort."""

import argparse

from rich.console import Console
from rich.table import Column, Table

from app.model_package.store import ModelStore
from training.evaluation.printing import interval
from training.packaging.model_card import likelihood_changed
from training.recalibrate import Recalibrated, deal_folder, recalibrate_package
from training.splits.saved import SPLITS_FILE


def run(options: argparse.Namespace) -> int:
    """Recalibrate, publish, print what it changed."""
    found = recalibrate_package(
        options.package,
        options.cohort,
        ModelStore(options.store),
        options.version,
        options.out,
        workers=options.workers,
        seed=options.seed,
    )
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(_table(found))
    for each in found.after.comparisons:
        console.print(likelihood_changed(each.difference), soft_wrap=True)
    if found.after.sets:
        console.print(f"sets: {found.after.sets.method}", soft_wrap=True)
    if found.after.distance:
        console.print(
            f"unlike training, before as after: {found.after.distance.flagged['test']:.0%} of these patients",
            soft_wrap=True,
        )
    told = deal_folder(options.out, found.package.manifest.name, options.version) / SPLITS_FILE
    console.print(f"who fitted and who judged: {told}", soft_wrap=True)
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
