"""What each fault did, as the tests measured it: the rows of docs/reference/faults.md."""

import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
TABLE: Final = re.compile(r"(?<=<!-- measured: begin -->\n).*?(?=<!-- measured: end -->)", re.DOTALL)
HEADINGS: Final = ("fault", "stated behaviour", "measured", "test")


@dataclass
class Outcome:
    """One row.

    Attributes:
        fault: What was done to the service.
        stated: What it does then.
        test: Name of the test, which has asserted it.
        measured: What was seen, with figures.
    """

    fault: str
    stated: str
    test: str
    measured: list[str] = field(default_factory=list)

    def saw(self, text: str) -> None:
        """Note what was seen."""
        self.measured.append(text)

    @contextmanager
    def timed(self, text: str) -> Iterator[None]:
        """Note how long a block took; `text` has one place for the seconds."""
        began = time.monotonic()
        yield
        self.saw(text.format(f"{time.monotonic() - began:.1f} s"))


def rows_of(table: str) -> set[str]:
    """Names of the tests in a table's last column."""
    return set(re.findall(r"`(test_\w+)` \|$", table, flags=re.MULTILINE))


def write_table(outcomes: list[Outcome]) -> None:
    """Put the rows into the page; those of tests that did not run stay."""
    page = PAGE.read_text(encoding="utf-8")
    new = {each.test for each in outcomes}
    found = TABLE.search(page)
    assert found is not None
    kept = [line for line in found[0].splitlines() if (name := rows_of(line)) and not name & new]
    rows = [
        _row((each.fault, each.stated, "; ".join(each.measured), f"`{each.test}`"))
        for each in outcomes
        if each.measured
    ]
    lines = [_row(HEADINGS), _row(("---",) * len(HEADINGS)), *sorted(kept + rows, key=str.lower)]
    measured_on = f"\nMeasured with Python {platform.python_version()} on {platform.system()}.\n"
    PAGE.write_text(TABLE.sub(lambda _: "\n".join(lines) + "\n" + measured_on, page), encoding="utf-8")


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
