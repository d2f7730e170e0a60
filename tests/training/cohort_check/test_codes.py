"""training.cohort_check.codes: 999 for unknown is asked about, and a high value is not."""

from pathlib import Path

import pytest

from tests.training.cohort_check.test_report import AGE, PATIENTS, SEX, found, write_cohort


def coded(folder: Path, *codes: str, spread: int = 400) -> tuple[int, ...] | None:
    """Lines that are asked about, of platelets of which the first few are these."""
    feature = AGE | {"name": "platelets", "unit": "10*9/L", "plausible_range": [-10, 2000]}
    edits = {(line, "platelets"): str(120 + line * 37 % spread) for line in range(2, PATIENTS + 2)}
    edits |= {(line, "platelets"): code for line, code in enumerate(codes, start=10)}
    finding = found(write_cohort(folder, edits, features=[AGE, SEX, feature])).get("missing-code")
    return finding.rows if finding else None


@pytest.mark.parametrize("codes", [("999", "999", "999"), ("999", "888", "999.0"), ("-9", "-1", "999")])
def test_a_code_of_unknown_values_is_told_by_its_lines(tmp_path: Path, codes: tuple[str, ...]) -> None:
    assert coded(tmp_path, *codes) == (10, 11, 12)


@pytest.mark.parametrize("values", [("999",), ("998", "998", "998"), ("999", "999", "999", "820", "670")])
def test_high_values_are_not_taken_for_codes(tmp_path: Path, values: tuple[str, ...]) -> None:
    assert coded(tmp_path, *values) is None


def test_a_code_within_the_other_values_is_one_of_them(tmp_path: Path) -> None:
    assert coded(tmp_path, "777", "777", "777", spread=900) is None
