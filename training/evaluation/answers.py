"""A model's calibrated answers on one split: logits scaled as the exported graph scales them, with what really happened."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64

from training.calibrate import Scaling, fit_scaling
from training.cohort import CohortError, Split
from training.networks.heads import CLASSES, FAVOURABLE_FROM, class_probabilities
from training.predictions import Predictions

_EVENT_FROM = {CLASSES[outcome]: first for outcome, first in FAVOURABLE_FROM.items()}
_BINARY = 2


@dataclass(frozen=True)
class Answers:
    """Calibrated answers for some patients.

    Attributes:
        patient_id: [N] pseudonyms.
        label: [N] class indices.
        probabilities: [N, K] calibrated.
        true_probability: [N] of the event; NaN where unknown.
    """

    patient_id: tuple[str, ...]
    label: Int64[np.ndarray, " N"]
    probabilities: Float64[np.ndarray, "N K"]
    true_probability: Float64[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.patient_id)

    @property
    def classes(self) -> int:
        """K."""
        return int(self.probabilities.shape[1])

    @property
    def ordinal(self) -> bool:
        """Whether the classes are grades; two classes are not."""
        return self.classes > _BINARY

    @property
    def event(self) -> Bool[np.ndarray, " N"]:
        """Whether the reported event happened: a favourable outcome (GOS >= 4), or AD."""
        happened: Bool[np.ndarray, " N"] = self.label >= event_from(self.classes)
        return happened

    @property
    def event_probability(self) -> Float64[np.ndarray, " N"]:
        """Of the reported event."""
        probability: Float64[np.ndarray, " N"] = self.probabilities[:, event_from(self.classes) :].sum(axis=1)
        return probability

    @property
    def most_likely(self) -> Int64[np.ndarray, " N"]:
        """Class with the highest probability."""
        chosen: Int64[np.ndarray, " N"] = self.probabilities.argmax(axis=1).astype(np.int64)
        return chosen


def event_from(classes: int) -> int:
    """First class index of the reported event, by the number of classes (`training.networks.heads`)."""
    return _EVENT_FROM[classes]


def is_ordinal(predictions: Predictions) -> bool:
    """Whether the model grades; with one logit it tells two classes apart."""
    return int(predictions.logits.shape[1]) + 1 > _BINARY


def fit_on_validation(predictions: Predictions) -> Scaling:
    """Temperature (grades) or Platt (two classes) on the validation split.

    Raises:
        CohortError: There is no validation patient.
    """
    held = predictions.part("validation")
    if not len(held):
        raise CohortError("calibration needs a validation split, found none; split the cohort")
    return fit_scaling(
        torch.from_numpy(held.logits),
        torch.from_numpy(held.label),
        with_intercept=not is_ordinal(predictions),
    )


def answers(predictions: Predictions, scaling: Scaling, split: Split | None = None) -> Answers:
    """Calibrated answers for one split, or for everyone in the table."""
    part = predictions.part(split) if split else predictions
    return Answers(
        patient_id=part.patient_id,
        label=part.label,
        probabilities=scaled_probabilities(part.logits, scaling),
        true_probability=part.true_probability,
    )


def scaled_probabilities(logits: Float32[np.ndarray, "N L"], scaling: Scaling) -> Float64[np.ndarray, "N K"]:
    """Calibrated class probabilities, by the same function the exported graph holds."""
    scaled = torch.from_numpy(logits) * scaling.slope + scaling.intercept
    return class_probabilities(scaled).numpy().astype(np.float64)
