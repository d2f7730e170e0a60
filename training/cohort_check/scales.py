"""Numbers that seem to be in two units: glucose in mmol/L and in mg/dL, where the plausible range has room for both."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from app.ehr.schema import Feature
from training.cohort_check.finding import Finding, warning
from training.cohort_check.record import number
from training.cohort_check.table import Table

GAP: Final = 3.0
"""Times the highest value of the lower group; values of one unit leave no such gap in their midst, and most units differ by more."""
FEWEST: Final = 40
"""Known values of a feature, below which gaps are chance."""
SMALLEST_SHARE: Final = 0.05
FEWEST_DIFFERENT: Final = 3
"""Different values on either side; fewer are a code, or what a laboratory writes below its limit."""


def check_scales(table: Table) -> Iterator[Finding]:
    """Every number, but for counts and scores."""
    for feature in table.description.features:
        if feature.kind == "numeric" and not feature.is_whole and (rows := _apart(table, feature)):
            yield warning(
                "two-scales",
                f"Values lie in two groups with a gap of more than {GAP:g} times between them; the rows are those of the smaller one.",
                f"Find out whether they are in another unit than {feature.unit}; convert them, or empty the cells.",
                column=feature.name,
                rows=rows,
            )


def _apart(table: Table, feature: Feature) -> list[int]:
    """Lines of the smaller of two groups; none where there is one group."""
    found = [
        (value, line) for line, text in table.cells(feature.name) if (value := number(text)) and value > 0
    ]
    if len(found) < FEWEST:
        return []
    found.sort()
    values = np.array([value for value, _ in found])
    # Only where both sides are more than strays, the widest of which would hide the gap.
    fewest = max(FEWEST_DIFFERENT, int(np.ceil(SMALLEST_SHARE * len(values))))
    place = fewest + int((values[fewest : 1 - fewest] / values[fewest - 1 : -fewest]).argmax())
    sides = values[:place], values[place:]
    enough = all(len(np.unique(side)) >= FEWEST_DIFFERENT for side in sides)
    if not enough or values[place] < GAP * values[place - 1]:
        return []
    lines = [line for _, line in found]
    return sorted(lines[:place] if 2 * place <= len(lines) else lines[place:])
