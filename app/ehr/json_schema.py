"""JSON Schema (2020-12) of a package's record, from which a client checks a record and a page draws its form.

What `encode` accepts is valid here. The reverse holds but for two things the vocabulary cannot say well: a value in
another unit is only checked to be a number, and `minimum_features` counts nulls as known.
"""

from typing import Any

from app.ehr.encode import YES_NO
from app.ehr.schema import EhrSchema, Feature
from app.ehr.units import accepted_units

DIALECT = "https://json-schema.org/draft/2020-12/schema"

JsonSchema = dict[str, Any]


def record_json_schema(schema: EhrSchema) -> JsonSchema:
    """Describe the record as JSON Schema.

    Args:
        schema: The record that a package reads.

    Returns:
        A schema of an object with one property per feature, in the schema's order. `x-loinc` and `x-unit` carry the
        LOINC code and the UCUM unit of a bare number.
    """
    return {
        "$schema": DIALECT,
        "title": "Patient's record",
        "type": "object",
        "properties": {feature.name: _property(feature) for feature in schema.features},
        "required": [feature.name for feature in schema.features if feature.required],
        "minProperties": schema.minimum_features,
        "additionalProperties": False,
    }


def _property(feature: Feature) -> JsonSchema:
    alternatives = _choices(feature) if feature.kind == "categorical" else _numbers(feature)
    if not feature.required:
        alternatives.append({"title": "Not known", "type": "null"})
    described: JsonSchema = {"title": feature.title, "x-loinc": feature.loinc, "x-unit": feature.unit}
    return described | {"anyOf": alternatives}


def _choices(feature: Feature) -> list[JsonSchema]:
    named: JsonSchema = {"title": feature.title, "type": "string", "enum": list(feature.categories)}
    return [named, {"title": "Yes or no", "type": "boolean"}] if feature.categories == YES_NO else [named]


def _numbers(feature: Feature) -> list[JsonSchema]:
    unit = feature.unit or ""
    low, high = feature.plausible_range or (None, None)
    bare: JsonSchema = {"title": f"In {unit}", "type": "number", "minimum": low, "maximum": high}
    if feature.is_whole:
        bare["multipleOf"] = 1
    return [bare, _quantity(feature, unit)]


def _quantity(feature: Feature, unit: str) -> JsonSchema:
    value = {"type": "number"} if feature.required else {"type": ["number", "null"]}
    return {
        "title": "With its unit (UCUM)",
        "type": "object",
        "properties": {
            "value": {"title": "Value"} | value,
            "unit": {"title": "Unit", "enum": list(accepted_units(unit, feature.loinc)), "default": unit},
        },
        "required": ["value", "unit"],
        "additionalProperties": False,
    }
