"""training.spelling: what several hands write of one name is one name, and no more than that."""

import unicodedata

import pytest

from training.spelling import plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("North ", "north"), ("p_01", "P-01"), ("p-0012", "p-12"), ("007", "7"), ("St. Anna", "St Anna"),
        ("Zürich", unicodedata.normalize("NFD", "Zürich")), ("a\u00a0b", "a b"), ("p-2\u200b", "p-2"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"), [("p-10", "p-1"), ("1.05", "1.5"), ("0.5", "5"), ("0", "00a"), ("-1", "1")]
)
def test_other_names_stay_others(one: str, other: str) -> None:
    assert plain(one) != plain(other)
