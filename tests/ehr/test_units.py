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


SIZES: dict[str, dict[str, float]] = {
    "s": {"a": 31_557_600, "mo": 2_629_800, "wk": 604_800, "d": 86_400, "h": 3600, "min": 60, "s": 1},
    "Pa": {"mm[Hg]": 133.322, "Pa": 1, "kPa": 1000, "cm[H2O]": 98.0665},
    "g/L": {
        "g/dL": 10, "mg/dL": 1e-2, "ug/dL": 1e-5, "g/L": 1, "mg/L": 1e-3, "ug/L": 1e-6,
        "mg/mL": 1, "ug/mL": 1e-3, "ng/mL": 1e-6, "pg/mL": 1e-9,
    },
    "mol/L": {"mol/L": 1, "mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9, "pmol/L": 1e-12},
    "/L": {
        "10*12/L": 1e12, "10*9/L": 1e9, "10*6/L": 1e6, "/L": 1, "10*6/mL": 1e9, "/mL": 1e3,
        "10*6/uL": 1e12, "10*3/uL": 1e9, "/uL": 1e6, "10*3/mm3": 1e9, "/mm3": 1e6,
    },
    "g": {"kg": 1000, "g": 1, "[lb_av]": 453.59237},
    "m": {"m": 1, "cm": 1e-2, "mm": 1e-3, "[in_i]": 0.0254},
    "L": {"L": 1, "mL": 1e-3, "cm3": 1e-3, "mm3": 1e-6},
    "/s": {"/s": 1, "/min": 1 / 60},
    "K": {"K": 1, "Cel": 274.15, "[degF]": (1 + 459.67) / 1.8},
    "1": {"1": 1, "%": 1e-2},
}  # fmt: skip
"""How much one of each unit is, in the unit before it; factors as in UCUM's table of units (https://ucum.org/ucum), of temperatures the value 1."""


@pytest.mark.parametrize(
    ("unit", "base", "size"), [(unit, base, size) for base, of in SIZES.items() for unit, size in of.items()]
)
def test_a_unit_is_as_large_as_ucum_says(unit: str, base: str, size: float) -> None:
    assert convert(1.0, unit, base, None) == pytest.approx(size, rel=5e-5)


def test_the_size_of_every_unit_is_known_here() -> None:
    assert {unit for of in SIZES.values() for unit in of} == UCUM_TO_PINT.keys()


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
