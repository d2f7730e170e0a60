"""UCUM units of clinical values and the conversion between them.

The units are a list, not a grammar: the unit is text sent by a client, and a parser of arbitrary unit expressions
(`ucumvert`, or `pint` itself) would hand that client an interpreter. Every code below is case-sensitive UCUM
(https://ucum.org/ucum, the c/s column) beside the factor and the unit by which pint knows it; pint does the rest.
"""

from functools import cache
from types import MappingProxyType
from typing import Any

import pint

UCUM_TO_PINT = MappingProxyType(
    {
        # time: UCUM's year is the Julian year of 365.25 d, and so is pint's
        "a": (1.0, "year"), "mo": (1.0, "month"), "wk": (1.0, "week"), "d": (1.0, "day"),
        "h": (1.0, "hour"), "min": (1.0, "minute"), "s": (1.0, "second"),
        # pressure
        "mm[Hg]": (1.0, "mmHg"), "Pa": (1.0, "pascal"), "kPa": (1.0, "kilopascal"), "cm[H2O]": (1.0, "cmH2O"),
        # mass concentration
        "g/dL": (1.0, "g/dL"), "mg/dL": (1.0, "mg/dL"), "ug/dL": (1.0, "ug/dL"),
        "g/L": (1.0, "g/L"), "mg/L": (1.0, "mg/L"), "ug/L": (1.0, "ug/L"),
        "mg/mL": (1.0, "mg/mL"), "ug/mL": (1.0, "ug/mL"), "ng/mL": (1.0, "ng/mL"), "pg/mL": (1.0, "pg/mL"),
        # substance concentration
        "mol/L": (1.0, "mol/L"), "mmol/L": (1.0, "mmol/L"), "umol/L": (1.0, "umol/L"),
        "nmol/L": (1.0, "nmol/L"), "pmol/L": (1.0, "pmol/L"),
        # number concentration
        "10*12/L": (1e12, "1/L"), "10*9/L": (1e9, "1/L"), "10*6/L": (1e6, "1/L"), "/L": (1.0, "1/L"),
        "10*6/mL": (1e6, "1/mL"), "/mL": (1.0, "1/mL"),
        "10*6/uL": (1e6, "1/uL"), "10*3/uL": (1e3, "1/uL"), "/uL": (1.0, "1/uL"),
        "10*3/mm3": (1e3, "1/mm**3"), "/mm3": (1.0, "1/mm**3"),
        # size
        "kg": (1.0, "kg"), "g": (1.0, "g"), "[lb_av]": (1.0, "pound"),
        "m": (1.0, "m"), "cm": (1.0, "cm"), "mm": (1.0, "mm"), "[in_i]": (1.0, "inch"),
        "L": (1.0, "L"), "mL": (1.0, "mL"), "cm3": (1.0, "cm**3"), "mm3": (1.0, "mm**3"),
        # rate, temperature, ratio
        "/min": (1.0, "1/minute"), "/s": (1.0, "1/second"),
        "Cel": (1.0, "degC"), "K": (1.0, "kelvin"), "[degF]": (1.0, "degF"),
        "1": (1.0, "dimensionless"), "%": (1.0, "percent"),
    }
)  # fmt: skip

_GLUCOSE_G_PER_MOL = 180.156
"""C6H12O6, as LOINC's group LG7967-5 states it (https://loinc.org/LG7967-5/)."""

MOLAR_MASS_G_PER_MOL = MappingProxyType(
    {
        "2339-0": _GLUCOSE_G_PER_MOL,  # Glucose [Mass/volume] in Blood
        "2345-7": _GLUCOSE_G_PER_MOL,  # Glucose [Mass/volume] in Serum or Plasma
        "14749-6": _GLUCOSE_G_PER_MOL,  # Glucose [Moles/volume] in Serum or Plasma
        "15074-8": _GLUCOSE_G_PER_MOL,  # Glucose [Moles/volume] in Blood
    }
)
"""Molar mass of the analyte behind a LOINC code; without one, mass and moles are never converted into each other."""

# pint's classes are generic in the type of the magnitude only where its own plugin is used; Any keeps them readable.
_Quantity = Any


@cache
def accepted_units(unit: str, loinc: str | None) -> tuple[str, ...]:
    """List the units in which a value may arrive.

    Args:
        unit: UCUM unit of the model's value.
        loinc: LOINC code of the feature; decides whether mass and moles may be exchanged.

    Returns:
        Convertible UCUM codes, the model's own first. UCUM calls every annotation (`{score}`, `{INR}`) plain 1; here
        one annotation is not taken for another, because an INR sent as a GCS is a mistake and not a conversion.
    """
    if unit.startswith("{"):
        return unit, "1"
    if unit not in UCUM_TO_PINT:
        return (unit,)
    return unit, *(other for other in UCUM_TO_PINT if other != unit and _is_convertible(other, unit, loinc))


def convert(value: float, source: str, target: str, loinc: str | None) -> float:
    """Express a value in another unit.

    Args:
        value: Finite number in `source`.
        source: One of `accepted_units(target, loinc)`.
        target: UCUM unit of the model's value.
        loinc: LOINC code of the feature.

    Returns:
        The value in `target`.

    Raises:
        ValueError: `source` is not one of the accepted units.
    """
    if source not in accepted_units(target, loinc):
        raise ValueError(f"{source!r} cannot be converted into {target!r}")
    if source == target or target.startswith("{"):
        return value
    slope, intercept = _line(source, target, loinc)
    return slope * value + intercept


@cache
def _line(source: str, target: str, loinc: str | None) -> tuple[float, float]:
    """Slope and intercept of a conversion: every one here is a straight line, and pint takes a millisecond a value."""
    factor, unit = UCUM_TO_PINT[target]

    def converted(value: float) -> float:
        quantity = _with_moles_as(_quantity(value, source), _quantity(1.0, target), loinc)
        return float(quantity.to(unit).magnitude) / factor

    return converted(1.0) - converted(0.0), converted(0.0)


def _is_convertible(source: str, target: str, loinc: str | None) -> bool:
    wanted = _quantity(1.0, target)
    return bool(_with_moles_as(_quantity(1.0, source), wanted, loinc).is_compatible_with(wanted))


def _with_moles_as(quantity: _Quantity, wanted: _Quantity, loinc: str | None) -> _Quantity:
    """Exchange mass and moles where the wanted unit needs it and the analyte's molar mass is known."""
    grams = MOLAR_MASS_G_PER_MOL.get(loinc or "")
    if grams is None or quantity.is_compatible_with(wanted):
        return quantity
    molar_mass = _registry().Quantity(grams, "g/mol")
    for exchanged in (quantity / molar_mass, quantity * molar_mass):
        if exchanged.is_compatible_with(wanted):
            return exchanged
    return quantity


def _quantity(value: float, unit: str) -> _Quantity:
    factor, name = UCUM_TO_PINT[unit]
    return _registry().Quantity(value * factor, name)


@cache
def _registry() -> _Quantity:
    """Build pint's registry at the first conversion: it reads a file of definitions and takes a quarter second."""
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
