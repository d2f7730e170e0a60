"""A first `cohort.json` for a table: what its columns mean, as far as their names tell.

Only names decide. A column is a feature where it is called as one of the reference records' (`app.ehr.reference`), with the code, unit and plausible
range of that; what else was known on admission only the people know who made the table, and no unit is guessed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from app.model_package.manifest import Task
from training.cohort import DESCRIPTION_FILE, TABLE_FILE, CohortError, read_rows
from training.cohort_description import MASK, CohortDescription
from training.files.whole_files import write_whole
from training.spelling import plain
from training.tasks import MODALITIES, SCHEMAS

POSITIVE: Final[Mapping[Task, str]] = {"gos": "favourable outcome (GOS 4 or 5)", "ad": "Alzheimer's disease"}
SITE, DATE = "site", "date"
NO_LEVELS: Final[Mapping[str, str]] = MappingProxyType({})
READ_ANYWAY: Final = frozenset({"patient_id", "split", SITE, DATE})
"""Columns that have their meaning by name."""
SLICES: Final = ("slice", "image")
"""What the columns of single slices are called, each with its number from below."""


@dataclass(frozen=True)
class Draft:
    """A description, and what it says nothing of.

    Attributes:
        description: Ready to be written.
        undescribed: Columns of the table that it does not name: they are not read.
        renamed: Column to the feature that it would be, were it written as that is.
        absent: Features of the task's reference record that the table does not have.
    """

    description: CohortDescription
    undescribed: tuple[str, ...]
    renamed: dict[str, str]
    absent: tuple[str, ...]


def draft(
    columns: Collection[str], task: Task, source: str, outcome: str, levels: Mapping[str, str] = NO_LEVELS
) -> Draft:
    """Describe a table by the names of its columns.

    Args:
        columns: Of the table, in its order.
        task: Whose reference record the features are taken from.
        source: Words for where the patients come from.
        outcome: The outcome's column.
        levels: Its words to what they mean, where they are the table's own.

    Raises:
        CohortError: A column that every cohort has is absent, none is a feature, or a word means nothing that an outcome can be.
    """
    images, masks = _image_columns(columns)
    if absent := [name for name in ("patient_id", *images, outcome) if name not in columns]:
        raise CohortError(
            f"expected the columns patient_id, image (or slice_1, slice_2, ... of single slices) and {outcome} in {TABLE_FILE}, found none called "
            f"{', '.join(absent)}; rename them, or name the outcome's column by --outcome"
        )
    known = SCHEMAS[task].features
    features = tuple(each for each in known if each.name in columns and each.name != outcome)
    if not features:
        raise CohortError(
            f"expected at least one feature among the columns of {TABLE_FILE}, such as {', '.join(each.name for each in known[:4])}, found none by "
            "these names; rename the columns, or describe them by hand (docs/reference/cohort.md)"
        )
    names = {each.name for each in features}
    missing = tuple(each.name for each in known if each.name not in names)
    by_spelling = {plain(name): name for name in missing}
    try:
        description = CohortDescription(
            task=task,
            modality=MODALITIES[task],
            source=source,
            outcome=outcome,
            positive=POSITIVE[task],
            seed=None,
            features=features,
            images=images,
            masks=masks,
            minimum_features=0,
            site=SITE if SITE in columns else None,
            date=DATE if DATE in columns else None,
            levels=dict(levels),
        )
    except ValidationError as error:  # the levels, or an outcome that has another meaning by its name
        raise CohortError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    read = names | READ_ANYWAY | {outcome, *images, *description.mask_columns}
    undescribed = tuple(name for name in columns if name not in read)
    renamed = {name: by_spelling[plain(name)] for name in undescribed if plain(name) in by_spelling}
    return Draft(description, undescribed, renamed, missing)


def _image_columns(columns: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of the images, in the order of their numbers where they are slices, and those of their masks where each has one."""
    if "image" in columns:
        return ("image",), ()
    for kind in SLICES:
        numbers = sorted(
            (int(number), number)
            for name in columns
            if (number := name.removeprefix(f"{kind}_")) != name and number.isdecimal()
        )
        if len(numbers) > 1:
            masks = tuple(f"{MASK}_{number}" for _, number in numbers)
            return tuple(f"{kind}_{number}" for _, number in numbers), masks if {*masks} <= {*columns} else ()
    return ("image",), ()


def describe(
    folder: Path, task: Task, source: str, outcome: str, levels: Mapping[str, str] = NO_LEVELS
) -> Draft:
    """Write a first `cohort.json` beside a `cohort.csv`.

    Args:
        folder: The cohort's.
        task: As `draft`.
        source: As `draft`.
        outcome: As `draft`.
        levels: As `draft`.

    Raises:
        CohortError: As `draft` and `read_rows`, or there is a description already: what somebody wrote is not replaced.
    """
    path = folder / DESCRIPTION_FILE
    if path.exists():
        raise CohortError(
            f"expected a cohort without {DESCRIPTION_FILE}, found one; move it away to have another drafted"
        )
    rows = read_rows(folder / TABLE_FILE)
    if not rows:
        raise CohortError(f"expected at least one row in {TABLE_FILE}, found none")
    drafted = draft(tuple(next(iter(rows.values()))), task, source, outcome, levels)
    write_whole(path, drafted.description.model_dump_json(indent=2) + "\n")
    return drafted
