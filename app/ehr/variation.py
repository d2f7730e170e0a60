"""A record with one feature changed, as the graph reads it: what asks a model what that feature does."""

from dataclasses import replace

import numpy as np

from app.ehr.encode import EncodedRecord, FeatureUse
from app.ehr.schema import Feature


def without(record: EncodedRecord, index: int) -> EncodedRecord:
    """The record with one feature missing, all else equal.

    Args:
        record: As encoded.
        index: Of the feature, in the schema's order.
    """
    use = record.features[index]
    return _with(record, index, 0.0, FeatureUse(use.name, None, use.unit, "missing"))


def with_value(record: EncodedRecord, index: int, feature: Feature, value: float | str) -> EncodedRecord:
    """The record with one feature known, all else equal.

    Args:
        record: As encoded.
        index: Of the feature, in the schema's order.
        feature: Its description.
        value: A number in the feature's unit, or one of its categories.
    """
    number = float(feature.categories.index(value)) if isinstance(value, str) else value
    return _with(record, index, number, FeatureUse(feature.name, value, feature.unit, "used"))


def _with(record: EncodedRecord, index: int, number: float, use: FeatureUse) -> EncodedRecord:
    values, missing = record.values.copy(), record.missing.copy()
    values[index], missing[index] = np.float32(number), np.float32(use.status == "missing")
    features = (*record.features[:index], use, *record.features[index + 1 :])
    return replace(record, values=values, missing=missing, features=features)
