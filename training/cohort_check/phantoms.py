"""Phantoms among patients: by what the generator leaves in the table, and by the mark in their images' headers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.imaging.synthetic import is_synthetic
from training.cohort_check.finding import Finding, error
from training.cohort_check.table import Table
from training.cohort_description import PHANTOMS, CohortDescription

_REMEDY = (
    f'Take the phantoms out; or, if the whole cohort is of them, write "source": "{PHANTOMS}" in cohort.json, '
    "and the package will say so."
)


def check_phantom_rows(table: Table) -> Iterator[Finding]:
    """Rows of a cohort of patients whose true probability, or whose seed, is known."""
    if table.description.of_phantoms:
        return
    if lines := [line for line, text in table.cells("true_probability") if text]:
        yield error(
            "phantom-row",
            "The true probability is known, as only a phantom's is, in a cohort that says it is of patients.",
            _REMEDY,
            column="true_probability",
            rows=lines,
        )
    if table.description.seed is not None:
        yield error(
            "phantom-row", "cohort.json holds a seed, as of a generated cohort, and names patients.", _REMEDY
        )


def check_phantom_image(
    files: Sequence[Path], column: str, description: CohortDescription
) -> Iterator[Finding]:
    """An image of nobody in a cohort of patients; the first file stands for its series."""
    if files and not description.of_phantoms and is_synthetic(files[0]):
        yield error(
            "phantom-image",
            "The image says that no patient was imaged, in a cohort that says it is of patients.",
            _REMEDY,
            column=column,
        )
