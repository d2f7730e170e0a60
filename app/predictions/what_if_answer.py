"""What the service says of a kept case with another record; the order of fields here is the order in the JSON."""

from typing import Annotated, Any

from pydantic import Field

from app.model_package.manifest import Probability
from app.model_package.training_summary import Taken
from app.predictions.answer import Outcome, RecordUsed
from app.predictions.document import Document


class WhatIf(Document):
    """The answer that this image would have got with another record; it is not kept."""

    id: Annotated[str, Field(description="The prediction whose image was asked again.")]
    prediction: Outcome
    ehr: RecordUsed


class CurvePoint(Document):
    """What the model expects at one value of a feature."""

    favourable: Annotated[
        Probability | None,
        Field(description="Probability of a favourable outcome; null where the task has none."),
    ]
    probabilities: Annotated[
        dict[str, Probability], Field(description="Calibrated probability of every class.")
    ]


class Curve(Document):
    """The expectation over one feature of the record, all else equal."""

    feature: Annotated[str, Field(description="Name of the feature.")]
    unit: Annotated[str | None, Field(description="UCUM unit of `values`; null for a category.")]
    values: Annotated[
        list[float | str],
        Field(
            description="The plausible range in even steps, both ends included (of a whole number, whole ones), or every category."
        ),
    ]
    missing: Annotated[CurvePoint, Field(description="With the feature missing.")]
    outcomes: Annotated[list[CurvePoint], Field(description="One per value, in the same order.")]
    taken_as: Annotated[
        list[Taken | None],
        Field(
            description="One per value: what the network took it for, where it lies beyond what training held, as `taken_as` of a record."
        ),
    ]


class RecordSent(Document):
    """The record of a kept case."""

    ehr: Annotated[dict[str, Any], Field(description="Feature to value, as it was sent.")]
