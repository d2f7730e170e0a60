from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ehr.units import MOLAR_MASS_G_PER_MOL, UCUM_TO_PINT, accepted_units, convert

GLUCOSE = "14749-6"
CONVERTIBLE = [
    (source, target)
    for source, target in permutations(UCUM_TO_PINT, 2)
    if source in accepted_units(target, GLUCOSE)
]


@pytest.mark.parametrize(
    ("value", "source", "target", "loinc", "expected"),
    [
        (180.156, "mg/dL", "mmol/L", "2345-7", 10.0),
        (10.0, "mmol/L", "mg/dL", "14749-6", 180.156),
        (101.325, "kPa", "mm[Hg]", None, 760.0),
        (250_000.0, "/uL", "10*9/L", None, 250.0),
        (250.0, "10*3/uL", "10*9/L", None, 250.0),
        (1.0, "a", "mo", None, 12.0),
        (2.0, "d", "h", None, 48.0),
        (98.6, "[degF]", "Cel", None, 37.0),
        (1.0, "[lb_av]", "kg", None, 0.45359237),
        (50.0, "%", "1", None, 0.5),
    ],
)
def test_known_conversions(
    value: float, source: str, target: str, loinc: str | None, expected: float
) -> None:
    assert convert(value, source, target, loinc) == pytest.approx(expected, rel=1e-5)


@given(pair=st.sampled_from(CONVERTIBLE), value=st.floats(1e-3, 1e6))
def test_conversion_there_and_back_is_the_identity(pair: tuple[str, str], value: float) -> None:
    source, target = pair
    there = convert(value, source, target, GLUCOSE)
    assert convert(there, target, source, GLUCOSE) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(pair=st.sampled_from(CONVERTIBLE), low=st.floats(0, 1e6), high=st.floats(0, 1e6))
def test_conversion_keeps_order(pair: tuple[str, str], low: float, high: float) -> None:
    low, high = sorted((low, high))
    below, above = convert(low, *pair, GLUCOSE), convert(high, *pair, GLUCOSE)
    assert below <= above + 1e-12 * max(1, abs(above))


def test_being_convertible_is_mutual() -> None:
    assert {(b, a) for a, b in CONVERTIBLE} == set(CONVERTIBLE)


def test_mass_and_moles_are_not_exchanged_without_a_molar_mass() -> None:
    sodium = "2951-2"
    assert sodium not in MOLAR_MASS_G_PER_MOL
    assert "mg/dL" not in accepted_units("mmol/L", sodium)
    with pytest.raises(ValueError, match="cannot be converted"):
        convert(140, "mg/dL", "mmol/L", sodium)


def test_the_models_own_unit_comes_first() -> None:
    assert all(accepted_units(unit, None)[0] == unit for unit in UCUM_TO_PINT)


def test_a_unit_outside_the_table_is_accepted_only_as_itself() -> None:
    assert accepted_units("[iU]/mL", None) == ("[iU]/mL",)
    assert convert(3.0, "[iU]/mL", "[iU]/mL", None) == 3.0


def test_one_annotation_is_not_taken_for_another() -> None:
    assert accepted_units("{score}", None) == ("{score}", "1")
    assert convert(9, "1", "{score}", None) == 9
    with pytest.raises(ValueError, match="cannot be converted"):
        convert(1.1, "{INR}", "{score}", None)
