"""Units in words for people: none of UCUM's own signs is left."""

import re

import pytest

from app.ehr.unit_words import unit_words
from app.ehr.units import UCUM_TO_PINT


@pytest.mark.parametrize("unit", UCUM_TO_PINT)
def test_no_unit_that_may_be_sent_is_read_in_code(unit: str) -> None:
    assert not re.search(r"[*\[\]{}_]", unit_words(unit))


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("a", "years"),
        ("mm[Hg]", "mmHg"),
        ("10*9/L", "\N{MULTIPLICATION SIGN} 10⁹/L"),
        ("10*12/L", "\N{MULTIPLICATION SIGN} 10¹²/L"),
        ("umol/L", "µmol/L"),
        ("mmol/L", "mmol/L"),
        ("{score}", ""),
        ("{INR}", ""),
        ("1", ""),
    ],
)
def test_a_unit_reads_as_clinicians_write_it(unit: str, words: str) -> None:
    assert unit_words(unit) == words
