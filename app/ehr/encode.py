"""One record from JSON to the two tensors of the graph: values in the model's units, and what is missing.

Every field is checked before anything is refused, so that a form can mark all of them at once. Problems name the
feature and what was expected of it, never what was sent.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from app.ehr.schema import EhrSchema, Feature
from app.ehr.units import accepted_units, convert
from app.errors import EhrInsufficientError, EhrInvalidError

Status = Literal["used", "converted", "missing"]

YES_NO = ("no", "yes")
"""Categories for which JSON's false and true are accepted, in this order."""

_QUANTITY_KEYS = {"value", "unit"}
_MAX_ECHOED_NAME = 64
_ROUNDING = 1e-9
"""Relative slack at the ends of a plausible range, and of whole numbers: what is converted from another unit must not fall outside."""


@dataclass(frozen=True)
class FeatureUse:
    """What became of one feature of the record.

    Attributes:
        name: As in the schema.
        value: In the model's unit, or the category; None where missing.
        unit: UCUM unit of `value`; None for a category.
        status: `used` as sent, `converted` from another unit, or `missing`.
    """

    name: str
    value: float | str | None
    unit: str | None
    status: Status


@dataclass(frozen=True)
class EncodedRecord:
    """A record as the graph reads it, features in the schema's order.

    Attributes:
        values: [F] numbers in the model's units, category indices, 0 where missing.
        missing: [F] 1 where missing.
        features: What became of each feature.
    """

    values: Float32[np.ndarray, " F"]
    missing: Float32[np.ndarray, " F"]
    features: tuple[FeatureUse, ...]


class _ProblemError(Exception):
    """What one field should have been; free of what it was."""


def encode(record: Mapping[str, object], schema: EhrSchema) -> EncodedRecord:
    """Check a record against its schema and express it in the model's units.

    Args:
        record: Feature name to a number, a category, null, or `{"value": number, "unit": UCUM code}`. A feature that
            is absent is missing. Where the categories are no and yes, false and true are accepted for them.
        schema: The record that the package reads.

    Returns:
        The tensors and what became of each feature.

    Raises:
        EhrInvalidError: Some fields cannot be used; `fields["features"]` lists name and problem of each.
        EhrInsufficientError: Fewer features are known than the package needs; `fields` has `known` and `minimum`.
    """
    uses: list[FeatureUse] = []
    names = {feature.name for feature in schema.features}
    problems = [_unknown(name) for name in record if name not in names]
    for feature in schema.features:
        try:
            uses.append(_use(feature, record.get(feature.name)))
        except _ProblemError as problem:
            problems.append({"name": feature.name, "problem": str(problem)})
    if problems:
        raise EhrInvalidError(
            f"{len(problems)} of the record's fields cannot be used; `features` says what each should be",
            features=problems,
        )
    _require_enough(uses, schema)
    return _tensors(uses, schema)


def _unknown(name: object) -> dict[str, str]:
    """Describe a key that no feature has, repeating it only where it looks like a field name."""
    is_name = (
        isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= _MAX_ECHOED_NAME
    )
    return {
        "name": str(name) if is_name else "(not a feature name)",
        "problem": "is not a feature of this model; GET /models/{name}/ehr-schema lists them",
    }


def _use(feature: Feature, sent: object) -> FeatureUse:
    value, unit = _parts(feature, sent)
    if value is None:
        if feature.required:
            raise _ProblemError("is required by this model and missing")
        return FeatureUse(feature.name, None, feature.unit, "missing")
    if feature.kind == "categorical":
        return FeatureUse(feature.name, _category(feature, value), None, "used")
    status: Status = "used" if unit == feature.unit else "converted"
    return FeatureUse(feature.name, _number(feature, value, unit), feature.unit, status)


def _parts(feature: Feature, sent: object) -> tuple[object, str]:
    """Take a field apart into value and unit; a bare value is in the model's unit."""
    if not isinstance(sent, Mapping):
        return sent, feature.unit or ""
    if feature.unit is None:
        raise _ProblemError(f"must be {_one_of(feature.categories)}, without a unit")
    if set(sent) != _QUANTITY_KEYS:
        raise _ProblemError('must be a number or {"value": number, "unit": UCUM code}')
    units = accepted_units(feature.unit, feature.loinc)
    unit = sent["unit"]
    if not isinstance(unit, str) or unit not in units:
        raise _ProblemError(f"must have its unit in UCUM, {_one_of(units)}")
    return sent["value"], unit


def _category(feature: Feature, value: object) -> str:
    if isinstance(value, bool) and feature.categories == YES_NO:
        return YES_NO[value]
    if not isinstance(value, str) or value not in feature.categories:
        raise _ProblemError(f"must be {_one_of(feature.categories)}")
    return value


def _number(feature: Feature, value: object, unit: str) -> float:
    """Bring a number into the model's unit and check that it is plausible there."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _ProblemError("must be a number")
    low, high = feature.plausible_range or (-math.inf, math.inf)
    converted = convert(_finite(value), unit, feature.unit or "", feature.loinc)
    slack = _ROUNDING * max(abs(low), abs(high))
    if not low - slack <= converted <= high + slack:
        raise _ProblemError(f"must lie between {low:g} and {high:g} {feature.unit}")
    if feature.is_whole:
        converted = _whole(converted)
    return min(max(converted, low), high)


def _whole(value: float) -> float:
    whole = float(round(value))
    if abs(value - whole) > _ROUNDING * max(1.0, abs(whole)):
        raise _ProblemError("must be a whole number")
    return whole


def _finite(value: numbers.Real) -> float:
    try:
        number = float(value)
    except OverflowError:  # JSON allows integers beyond float's range
        number = math.inf
    if not math.isfinite(number):
        raise _ProblemError("must be a finite number")
    return number


def _one_of(choices: tuple[str, ...]) -> str:
    return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"


def _require_enough(uses: list[FeatureUse], schema: EhrSchema) -> None:
    known = sum(use.status != "missing" for use in uses)
    if known < schema.minimum_features:
        raise EhrInsufficientError(
            f"this model needs at least {schema.minimum_features} known features and the record has {known}",
            known=known,
            minimum=schema.minimum_features,
        )


def _tensors(uses: list[FeatureUse], schema: EhrSchema) -> EncodedRecord:
    values = [_index(feature, use) for feature, use in zip(schema.features, uses, strict=True)]
    missing = [float(use.status == "missing") for use in uses]
    return EncodedRecord(np.array(values, np.float32), np.array(missing, np.float32), tuple(uses))


def _index(feature: Feature, use: FeatureUse) -> float:
    """Give the value's number in the tensor: itself, its category's index, 0 where missing."""
    if isinstance(use.value, str):
        return float(feature.categories.index(use.value))
    return use.value or 0.0
