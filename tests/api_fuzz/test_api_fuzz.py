"""A short run; `make fuzz-api` is the long one."""

import re
from pathlib import Path

import pytest

from tests.api_fuzz.run import Who, fuzz

SEED = 2112


@pytest.mark.parametrize(
    ("who", "phases", "seconds"),
    [("everybody", "examples,coverage", 14), ("a key", "fuzzing", 8), ("nobody", "coverage", 12)],
)
def test_every_answer_is_one_that_the_document_knows(
    tmp_path: Path, who: Who, phases: str, seconds: int
) -> None:
    held, printed = fuzz(tmp_path, who, seconds, SEED, phases)
    assert held, printed
    cases = re.search(r"(\d+) generated", printed)
    assert cases is not None and int(cases[1]) > 20, printed  # noqa: PT018 - one statement: it asked a lot
