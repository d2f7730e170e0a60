"""Table 1: who the patients of each split are, before any model has seen them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy.stats import skew

from app.ehr.schema import Feature
from training.cohort import SPLITS, Case, Cohort, Split
from training.evaluation.document import Characteristic

SKEWED_BEYOND = 1.0
"""Skewness of the whole cohort from which a variable is told by its median and quartiles."""
_MOST_LEVELS = 12
Parts = Mapping[Split, Sequence[Case]]


def cohort_table(
    cohort: Cohort, label: Int[np.ndarray, " N"], classes: Sequence[str]
) -> tuple[Characteristic, ...]:
    """One line for each variable: mean (SD), or median [quartiles] where skewed; n (%) for categories and for what is missing.

    Args:
        cohort: With every patient in a split.
        label: [N] class of each patient.
        classes: Titles of the outcome's classes, in order.
    """
    parts = {split: cohort.part(split) for split in SPLITS if cohort.part(split)}
    return (
        Characteristic(
            variable="Patients", unit="", by_split={split: str(len(cases)) for split, cases in parts.items()}
        ),
        *(_outcome(cohort, label == k, title) for k, title in enumerate(classes)),
        *(line for feature in cohort.description.features for line in _feature(feature, parts)),
        *_column("Site", {split: [case.site for case in cases] for split, cases in parts.items()}),
        *(
            line
            for name in cohort.description.subgroups
            for line in _column(
                name, {split: [case.subgroups.get(name) for case in cases] for split, cases in parts.items()}
            )
        ),
    )


def _outcome(cohort: Cohort, chosen: Bool[np.ndarray, " N"], title: str) -> Characteristic:
    sizes = Counter(case.split for case in cohort.cases)
    counts = Counter(case.split for case in compress(cohort.cases, chosen))
    told = [split for split in SPLITS if sizes[split]]
    return _shares(
        f"Outcome: {title}",
        {split: counts[split] for split in told},
        {split: sizes[split] for split in told},
    )


def _feature(feature: Feature, parts: Parts) -> Iterator[Characteristic]:
    known = {
        split: [case.record[feature.name] for case in cases if feature.name in case.record]
        for split, cases in parts.items()
    }
    if feature.kind == "numeric":
        yield _number(feature, {split: np.array(values, np.float64) for split, values in known.items()})
    else:
        sizes = {split: len(values) for split, values in known.items()}
        for level in _told_levels(feature):
            counts = {split: values.count(level) for split, values in known.items()}
            yield _shares(f"{feature.title}: {level}", counts, sizes)
    patients = {split: len(cases) for split, cases in parts.items()}
    missing = {split: patients[split] - len(values) for split, values in known.items()}
    if any(missing.values()):
        yield _shares(f"{feature.title}: missing", missing, patients)


def _column(name: str, values: Mapping[Split, Sequence[str | None]]) -> Iterator[Characteristic]:
    """Levels of a column that is no feature; nothing where nobody has a value, or nearly everyone one of their own."""
    sizes = {split: sum(value is not None for value in column) for split, column in values.items()}
    levels = sorted({value for column in values.values() for value in column if value is not None})
    if len(levels) > _MOST_LEVELS:
        return
    for level in levels:
        yield _shares(
            f"{name}: {level}", {split: column.count(level) for split, column in values.items()}, sizes
        )


def _told_levels(feature: Feature) -> Sequence[str]:
    """Of yes and no, yes alone is told; of other categories, all."""
    return ("yes",) if set(feature.categories) == {"yes", "no"} else feature.categories


def _number(feature: Feature, values: Mapping[Split, Float64[np.ndarray, " n"]]) -> Characteristic:
    everyone = np.concatenate(list(values.values()))
    skewed = np.ptp(everyone) > 0 and abs(float(skew(everyone))) > SKEWED_BEYOND if len(everyone) else False
    tell = _median if skewed else _mean
    return Characteristic(
        variable=f"{feature.title}, {'median [quartiles]' if skewed else 'mean (SD)'}",
        unit=feature.unit or "",
        by_split={split: tell(column) if len(column) else "none known" for split, column in values.items()},
    )


def _mean(values: Float64[np.ndarray, " n"]) -> str:
    spread = f"{values.std(ddof=1):.3g}" if len(values) > 1 else "one patient"
    return f"{_number_text(values.mean())} ({spread})"


def _median(values: Float64[np.ndarray, " n"]) -> str:
    low, middle, high = (_number_text(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return f"{middle} [{low}, {high}]"


def _number_text(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004 - three digits are enough


def _shares(variable: str, counts: Mapping[Split, int], sizes: Mapping[Split, int]) -> Characteristic:
    """Counts with their share of the patients for whom it is known."""
    words: dict[str, str] = {
        split: f"{count} ({count / sizes[split]:.0%})" if sizes[split] else "none known"
        for split, count in counts.items()
    }
    return Characteristic(variable=f"{variable}, n (%)", unit="", by_split=words)
