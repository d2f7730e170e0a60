"""`python -m training describe`: draft the description of a table."""

import argparse
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.ehr.schema import Feature
from training.cohort import DESCRIPTION_FILE
from training.cohort_description import CohortDescription
from training.cohort_draft import Draft, describe


def run(options: argparse.Namespace) -> int:
    """Write the draft, and print what it says and what it leaves open."""
    drafted = describe(options.cohort, options.task, options.source, options.outcome, options.levels)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, words in _lines(drafted):
        table.add_row(Text(name), Text(words))  # people name columns as they like: no markup
    console = Console()
    console.print(table)
    console.print(
        f"{options.cohort / DESCRIPTION_FILE}: read it, correct it, then python -m training check {options.cohort}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    return 0


def _lines(drafted: Draft) -> Iterator[tuple[str, str]]:
    yield from _read(drafted.description)
    for column, meant in drafted.renamed.items():
        yield column, f"not read; rename it to {meant} if it is that feature"
    for column in drafted.undescribed:
        if column not in drafted.renamed:
            yield column, "not read; describe it if it was known on admission"
    if drafted.absent:
        yield "", f"Not in the table: {', '.join(drafted.absent)}"


def _read(description: CohortDescription) -> Iterator[tuple[str, str]]:
    """The columns that are described, and as what."""
    for feature in description.features:
        yield feature.name, f"{feature.title}: {_values(feature)}"
    if description.few_slices:
        for number, image in enumerate(description.images, 1):
            yield image, f"slice {number} of {len(description.images)}, from below"
    yield description.outcome, f"the outcome: {' or '.join(description.outcome_words)}"
    for name, use in ((description.site, "site"), (description.date, "day of admission, YYYY-MM-DD")):
        if name:
            yield name, use


def _values(feature: Feature) -> str:
    if feature.plausible_range is None:
        return " or ".join(feature.categories)
    low, high = feature.plausible_range
    return f"{low:g} to {high:g} {feature.unit}"
