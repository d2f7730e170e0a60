"""Rows that seem to be one patient: several scans or visits under pseudonyms of their own, whom a split by rows would tear apart."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from training.cohort_check.finding import Finding, warning
from training.cohort_check.table import Table

BY_CHANCE: Final = 0.01
"""Pairs expected by chance in a table whose records are all as particular as this one, below which its pair is asked about."""


def check_repeated(table: Table) -> Iterator[Finding]:
    """Records that stand in several rows, and are too particular for that to be chance."""
    names = [feature.name for feature in table.description.features if table.has(feature.name)]
    counts = {name: Counter(text for _, text in table.cells(name)) for name in names}
    lines: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for line, row in table.rows.items():
        lines[tuple(row[name] for name in names)].append(line)
    total = len(table.rows)

    def expected(record: tuple[str, ...]) -> float:
        # As if features were independent, so no more than a hint. Unknown cells are left out: what is missing is often missing together.
        known = [counts[name][text] / total for name, text in zip(names, record, strict=True) if text]
        return total * (total - 1) / 2 * math.prod(known)

    if found := [
        line
        for record, group in lines.items()
        if len(group) > 1 and expected(record) < BY_CHANCE
        for line in group
    ]:
        yield warning(
            "record-twice",
            "Rows hold the same record, which by chance would hardly happen: perhaps one patient under two pseudonyms.",
            "Find out; keep one row (one scan) per patient, else a patient may be trained on and tested.",
            rows=sorted(found),
        )
