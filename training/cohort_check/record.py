"""Features: cells that cannot be what the description says, and columns that say nothing."""

import math
from collections.abc import Iterator

from app.ehr.schema import Feature
from training.cohort import number_in
from training.cohort_check.finding import Finding, error, warning
from training.cohort_check.table import Table

MOSTLY = 0.5
"""Share of missing cells from which a feature is asked about."""


def check_record(table: Table) -> Iterator[Finding]:
    """Every feature, and rows in which too few are known."""
    for feature in table.description.features:
        if table.has(feature.name):
            yield from _cells(table, feature)
            yield from _column(table, feature)
    yield from _too_few(table)


def number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = number_in(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cells(table: Table, feature: Feature) -> Iterator[Finding]:
    known = [(line, text) for line, text in table.cells(feature.name) if text]
    if feature.kind == "categorical":
        yield from _categories(
            feature, [(line, text) for line, text in known if text not in feature.categories]
        )
        return
    wrong = [(line, text) for line, text in known if number(text) is None]
    if wrong:
        commas = [number(text.replace(",", ".")) is not None for _, text in wrong]
        remedies = ["Write decimal points, not commas."] if any(commas) else []
        remedies += [] if all(commas) else ["Correct the cells, or empty them where unknown."]
        yield error(
            "not-a-number",
            f"Cells are no number in {feature.unit}.",
            " ".join(remedies),
            column=feature.name,
            rows=[line for line, _ in wrong],
        )
    low, high = feature.plausible_range or (-math.inf, math.inf)
    values = [(line, value) for line, text in known if (value := number(text)) is not None]
    if outside := [line for line, value in values if not low <= value <= high]:
        yield error(
            "out-of-range",
            f"Values outside {low:g} to {high:g} {feature.unit}.",
            f"Check the unit ({feature.unit}) and for codes such as 999; empty the cell where unknown.",
            column=feature.name,
            rows=outside,
        )
    if feature.is_whole and (parts := [line for line, value in values if value % 1]):
        yield error(
            "not-whole",
            "Values are no whole numbers.",
            "Correct the cells, or empty them where unknown; what was averaged or imputed is unknown.",
            column=feature.name,
            rows=parts,
        )


def _categories(feature: Feature, wrong: list[tuple[int, str]]) -> Iterator[Finding]:
    if not wrong:
        return
    spellings = {category.casefold() for category in feature.categories}
    spelt = [text.casefold() in spellings for _, text in wrong]
    levels = ", ".join(feature.categories)
    yield error(
        "unknown-category",
        "Cells are none of the categories.",
        f"Write {levels}{' (capitals matter)' if any(spelt) else ''}{'' if all(spelt) else '; or empty the cell where unknown'}.",
        column=feature.name,
        rows=[line for line, _ in wrong],
    )


def _column(table: Table, feature: Feature) -> Iterator[Finding]:
    texts = [text for _, text in table.cells(feature.name)]
    known = [text for text in texts if text]
    if missing := [line for line, text in table.cells(feature.name) if not text]:
        if feature.required:
            yield error(
                "required-missing",
                "A required feature is empty.",
                'Fill the cells, or set "required": false.',
                column=feature.name,
                rows=missing,
            )
        if known and len(missing) > MOSTLY * len(texts):
            yield warning(
                "feature-mostly-missing",
                f"Missing in {len(missing) / len(texts):.0%} of the patients.",
                "Ask whether it is missing for a reason that the outcome knows; else leave it out.",
                column=feature.name,
            )
    if not known:
        yield warning(
            "feature-empty", "Missing in every patient.", "Take it out of cohort.json.", column=feature.name
        )
    elif len(set(known)) == 1 and len(texts) > 1:
        yield warning(
            "feature-constant",
            "Every known value is the same.",
            "Take it out of cohort.json; it can teach nothing.",
            column=feature.name,
        )


def _too_few(table: Table) -> Iterator[Finding]:
    names = [feature.name for feature in table.description.features if table.has(feature.name)]
    fewest = table.description.minimum_features
    if short := [line for line, row in table.rows.items() if sum(bool(row[name]) for name in names) < fewest]:
        yield error(
            "record-too-short",
            f"Fewer than {fewest} features are known.",
            "Fill them in, leave these rows out, or lower minimum_features in cohort.json.",
            rows=short,
        )
