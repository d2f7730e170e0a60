"""A short run; `make fuzz-api` is the long one."""

import re
from pathlib import Path

import pytest

from tests.api_fuzz.run import Who, fuzz

SEED = 2112
ENOUGH = 20
"""Cases: fewer, and it was not the interface that was asked."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("who", "phases", "seconds"),
    [("everybody", "examples,coverage", 6), ("a key", "fuzzing", 4), ("nobody", "coverage", 5)],
)
def test_every_answer_is_one_that_the_document_knows(
    tmp_path: Path, who: Who, phases: str, seconds: int
) -> None:
    for patience in (1, 2, 4, 8, 16, 32):  # a machine with other work to do asks less in the same time
        folder = tmp_path / str(patience)
        folder.mkdir()
        held, printed = fuzz(folder, who, patience * seconds, SEED, phases)
        assert held, printed
        cases = re.search(r"(\d+) generated", printed)
        if cases is not None and int(cases[1]) > ENOUGH:
            return
    pytest.fail(f"expected more than {ENOUGH} cases\n{printed}")
