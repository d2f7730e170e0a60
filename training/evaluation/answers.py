"""A model's calibrated answers on one split: logits scaled as the exported graph scales them, with what really happened."""

from dataclasses import dataclass
from itertools import compress

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64

from training.calibrate import Scaling, fit_scaling, prior_intercept_sd, smoothed_log_odds
from training.cohort import CohortError, Split
from training.networks.heads import class_probabilities
from training.outcomes import event_from
from training.predictions import Predictions

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

    def take(self, chosen: Bool[np.ndarray, " N"]) -> "Answers":
        """Some of the patients, in order."""
        return Answers(
            patient_id=tuple(compress(self.patient_id, chosen)),
            label=self.label[chosen],
            probabilities=self.probabilities[chosen],
            true_probability=self.true_probability[chosen],
        )

    @property
    def classes(self) -> int:
        """K."""
        return int(self.probabilities.shape[1])

    @property
    def graded(self) -> bool:
        """Whether the classes have an order that matters."""
        return is_graded(self.classes)

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


def is_graded(classes: int) -> bool:
    """Whether so many classes are grades, of an ordinal head; two are told apart by one plain logit."""
    return classes > _BINARY


def fit_on_validation(predictions: Predictions) -> Scaling:
    """Temperature (grades) or Platt (two classes) on the validation split.

    Raises:
        CohortError: There is no validation patient.
    """
    held = predictions.part("validation")
    if not len(held):
        raise CohortError("calibration needs a validation split, found none; split the cohort")
    is_binary = not is_graded(predictions.logits.shape[1] + 1)
    trained_on = torch.from_numpy(predictions.part("train").label)
    return fit_scaling(
        torch.from_numpy(held.logits),
        torch.from_numpy(held.label),
        intercept_sd=prior_intercept_sd(trained_on) if is_binary else 0.0,
        centre=smoothed_log_odds(trained_on) if is_binary else 0.0,
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
