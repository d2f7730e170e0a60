"""One image with several records: what the model would say of this patient, were the record another."""

from collections.abc import Sequence
from typing import Final

from app.ehr.encode import EncodedRecord
from app.ehr.variation import without
from app.inference.predictor import ModelArray, Outputs, Predictor

ROWS_AT_ONCE: Final = 4
"""Rows of one run of the graph; more of them take memory and save no time: on a CPU one row at a time is as fast."""


def predict_alternatives(
    predictor: Predictor, image: ModelArray, records: Sequence[EncodedRecord]
) -> list[Outputs]:
    """Answers one image with each of several records; errors as in `Predictor.predict`.

    Args:
        predictor: Package and session.
        image: [D, H, W] on the package's model grid.
        records: Encoded by the package's schema; may be none.

    Returns:
        One answer per record, in their order.
    """
    starts = range(0, len(records), ROWS_AT_ONCE)
    parts = [records[start : start + ROWS_AT_ONCE] for start in starts]
    return [outputs for part in parts for outputs in predictor.predict_batch([image] * len(part), part)]


def effects(
    predictor: Predictor, image: ModelArray, record: EncodedRecord, answered: Outputs
) -> dict[str, float]:
    """What each known feature does to the answer.

    Args:
        predictor: Package and session.
        image: [D, H, W] on the package's model grid.
        record: The record that was answered.
        answered: Its answer.

    Returns:
        By the name of each feature that was given, in the schema's order: the expectation as answered, less the
        expectation with this one feature missing, all else equal.
    """
    given = [index for index, use in enumerate(record.features) if use.status != "missing"]
    others = predict_alternatives(predictor, image, [without(record, index) for index in given])
    return {
        record.features[index].name: expectation(answered) - expectation(other)
        for index, other in zip(given, others, strict=True)
    }


def expectation(outputs: Outputs) -> float:
    """The one probability that effects are told in: of a favourable outcome, else of the package's last class (`ad`)."""
    return outputs.favourable if outputs.favourable is not None else list(outputs.probabilities.values())[-1]
