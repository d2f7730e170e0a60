"""Results that were gathered stay where they are until there are others in their place."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from app.cohort.results import ResultsFile, read_results
from app.predictions.result_lines import Line

HEADER = ("id", "case", "status")
EARLIER: Sequence[Line] = tuple({"id": name, "case": "1", "status": "answered"} for name in "abc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Results of an earlier run."""
    with ResultsFile(tmp_path / "results.csv", HEADER, EARLIER, "abc"):
        pass
    return tmp_path / "results.csv"


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_ends_before_its_first_answer_leaves_them(path: Path, end: type[BaseException]) -> None:
    results = ResultsFile(path, HEADER, EARLIER[:1], "abc")
    with pytest.raises(end), results:
        raise end
    assert (read_results(path, HEADER), results.is_written) == (list(EARLIER), False)


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_ends_later_keeps_what_holds_and_what_it_knows(
    path: Path, end: type[BaseException]
) -> None:
    new = {"id": "b", "case": "2", "status": "answered"}
    results = ResultsFile(path, HEADER, EARLIER[2:], "abc")
    with suppress(end), results:
        results.add(new)
        raise end
    assert (read_results(path, HEADER), results.is_written) == ([new, EARLIER[2]], True)


def test_results_that_a_spreadsheet_has_saved_are_results(path: Path) -> None:
    """With a byte order mark and its own line ends."""
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    assert read_results(path, HEADER) == list(EARLIER)
