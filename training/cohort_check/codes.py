"""Numbers that stand for `unknown` (999, -9), where the plausible range has room for them."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from app.ehr.schema import Feature
from training.cohort_check.finding import Finding, warning
from training.cohort_check.record import number
from training.cohort_check.table import Table

CODES: Final = frozenset(
    {-1.0, *(float(sign + digit * length) for sign in ("", "-") for digit in "789" for length in range(1, 6))}
)
"""As statistics programs are told of missing values: one high digit, once or again and again."""
FEWEST: Final = 3
"""Rows with such a number; the same extreme value is seldom found so often."""
FEWEST_DIFFERENT: Final = 4
"""Other values, between which gaps can be measured."""
TIMES: Final = 3.0
"""How much further than the widest of these gaps a code lies from the other values."""


def check_codes(table: Table) -> Iterator[Finding]:
    """Every number."""
    for feature in table.description.features:
        if feature.kind == "numeric" and (rows := _coded(table, feature)):
            yield warning(
                "missing-code",
                "A number such as is written for unknown values stands far from all others, in several rows.",
                "Find out what it means, and empty the cells where the value is unknown.",
                column=feature.name,
                rows=rows,
            )


def _coded(table: Table, feature: Feature) -> list[int]:
    """Lines of the codes."""
    found = [(line, value) for line, text in table.cells(feature.name) if (value := number(text)) is not None]
    others = np.array(sorted({value for _, value in found} - CODES))
    if len(others) < FEWEST_DIFFERENT:
        return []
    apart = TIMES * float(np.diff(others).max())
    rows = [
        line for line, value in found if value in CODES and max(others[0] - value, value - others[-1]) > apart
    ]
    return rows if len(rows) >= FEWEST else []
