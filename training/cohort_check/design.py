"""Who is compared with whom: sizes of the splits, sites and days, and whether the configuration suits the table."""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.ehr.schema import Feature
from training.cohort import SPLITS, Case, Cohort
from training.cohort_check.finding import Finding, error, warning
from training.cohort_check.outcome import labels
from training.cohort_check.record import number
from training.cohort_check.table import Table
from training.config import RunConfig, unknown_log1p
from training.networks.config import CLASSES
from training.outcomes import event_from
from training.splits import split_cohort

FEWEST_EVENTS = 10
"""Patients with the event, and without, below which a split is too small to stop, calibrate or measure by."""
FEWEST_AT_SITE = 10
FIRST_CT: Final = dt.date(1971, 10, 1)
"""Atkinson Morley's Hospital, London (Beckmann 2006, doi:10.1259/bjr/29444122)."""
A_DAY: Final = dt.timedelta(days=1)
"""Somewhere it is tomorrow."""
SIDES: Final = {"left", "right", "side", "laterality"}


def check_splits(table: Table, seed: int) -> Iterator[Finding]:
    """Events in every split, as the table names it or as it would be dealt.

    Args:
        table: The cohort.
        seed: Of the configuration.
    """
    label, first = labels(table), event_from(table.description.classes)
    cases = tuple(_case(line, row, label[line], table) for line, row in table.rows.items() if line in label)
    if not cases:
        return
    split = split_cohort(Cohort(table.root, table.description, cases), seed)
    sizes = {name: _sizes([case.label >= first for case in split.part(name)]) for name in SPLITS}
    if empty := [name for name, (events, others) in sizes.items() if not events + others]:
        yield error(
            "split-empty",
            f"Nobody is in: {', '.join(empty)}.",
            "Put patients there, or empty the column, but for test patients that were chosen, and let training deal.",
            column="split",
        )
    small = {name: size for name, size in sizes.items() if sum(size) and min(size) < FEWEST_EVENTS}
    if small:
        words = ", ".join(f"{name} {events} and {others}" for name, (events, others) in small.items())
        yield warning(
            "split-small",
            f"Few patients with and without the event: {words}.",
            f"At least {FEWEST_EVENTS} of each; better cross-validate (ablation --folds 5 --repeats 3).",
        )


def _sizes(events: list[bool]) -> tuple[int, int]:
    """With the event, and without."""
    return sum(events), len(events) - sum(events)


def check_sites(table: Table) -> Iterator[Finding]:
    """Sites that tell the outcome."""
    column = table.description.site
    if column is None or not table.has(column):
        return
    label, first = labels(table), event_from(table.description.classes)
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for line, site in table.cells(column):
        if line in label and site:
            counts[site][label[line] >= first] += 1
    alike = [site for site, each in counts.items() if len(each) == 1]
    if (
        len(counts) > 1
        and len(alike) == len(counts)
        and len({bool(next(iter(counts[s]))) for s in alike}) > 1
    ):
        yield error(
            "site-confounded",
            "At every site all patients have the same outcome: an image's origin tells it.",
            "Add patients with the other outcome from the same sites; nothing else helps.",
            column=column,
        )
    elif large := [site for site in alike if counts[site].total() >= FEWEST_AT_SITE and len(counts) > 1]:
        yield warning(
            "site-one-outcome",
            f"At {len(large)} of {len(counts)} sites all patients have the same outcome.",
            "Test with these sites left out (train --leave-site NAME).",
            column=column,
        )


def check_dates(table: Table) -> Iterator[Finding]:
    """Days that are none, that no scan can be of, or unknown."""
    column = table.description.date
    if column is None or not table.has(column):
        return
    cells = table.cells(column)
    if wrong := [line for line, text in cells if text and not _is_day(text)]:
        yield error(
            "date-unparsable",
            "Cells are no days.",
            "Write YYYY-MM-DD, without a time.",
            column=column,
            rows=wrong,
        )
    today = dt.datetime.now(dt.UTC).date()
    if placeholders := [
        line
        for line, text in cells
        if _is_day(text) and not FIRST_CT <= dt.date.fromisoformat(text) <= today + A_DAY
    ]:
        yield warning(
            "date-implausible",
            "Days are in the future, or before the first CT of a patient, as spreadsheets write for unknown ones.",
            "Correct them, or empty the cells: a later-in-time test (train --test-from) takes them at their word. Days that were shifted to "
            "de-identify them may stay, if those of all patients were shifted alike.",
            column=column,
            rows=placeholders,
        )
    if unknown := [line for line, text in cells if not text]:
        yield warning(
            "date-missing",
            "Days are unknown.",
            "Fill them in, or a later-in-time test (train --test-from) is refused.",
            column=column,
            rows=unknown,
        )


def check_config(table: Table, config: RunConfig) -> Iterator[Finding]:
    """Whether the configuration is for this cohort."""
    description = table.description
    if config.task != description.task:
        yield error(
            "config-task",
            f"The configuration is for the task {config.task}, the cohort for {description.task}.",
            "Choose a configuration of this task.",
        )
    if config.grid.modality != description.modality:
        yield error(
            "config-modality",
            f"The configuration wants {config.grid.modality}, the cohort has {description.modality}.",
            "Choose a configuration for this modality.",
        )
    if description.few_slices and config.grid.shape[0] != len(description.images):
        yield error(
            "config-slices",
            f"The grid has {config.grid.shape[0]} slices, the cohort {len(description.images)} image columns.",
            f"Set shape = [{len(description.images)}, ...] in [grid].",
        )
    if CLASSES[config.model.head.outcome] > description.classes:
        yield error(
            "config-outcome",
            f"The head tells {CLASSES[config.model.head.outcome]} outcomes apart, the table {description.classes}.",
            'Set outcome = "binary" in [model.head].',
        )
    if unknown := unknown_log1p(config, description):
        yield error(
            "config-log1p",
            f"log1p names {', '.join(unknown)}, which the cohort does not have as a numeric feature.",
            "Correct log1p in [model.ehr].",
        )
    for feature in description.features:
        if config.augmentation.flip_probability and _names_a_side(feature):
            yield warning(
                "config-flip",
                "The feature seems to name a side of the body, and training images are flipped left to right, the record is not.",
                "Set flip_probability = 0 in [augmentation].",
                column=feature.name,
            )


def _names_a_side(feature: Feature) -> bool:
    words = {
        word for text in (feature.name, *feature.categories) for word in re.split(r"[^a-z]+", text.casefold())
    }
    return bool(words & SIDES)


def site_counts(table: Table) -> Counter[str]:
    """Patients by site."""
    column = table.description.site
    return Counter(text or "not recorded" for _, text in table.cells(column)) if column else Counter()


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _case(line: int, row: dict[str, str], label: int, table: Table) -> Case:
    """Enough of a patient to be dealt."""
    age = number(row.get("age", ""))
    record: dict[str, object] = {} if age is None else {"age": age}
    if row.get("sex"):
        record["sex"] = row["sex"]
    site = row.get(table.description.site or "", "") or None
    split = next((name for name in SPLITS if name == row.get("split", "")), None)
    patient = row.get("patient_id") or f"line {line}"
    return Case(patient, (Path(),), (), split, record, label, None, site=site)
