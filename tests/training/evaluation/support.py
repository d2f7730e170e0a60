"""Predictions of made-up models whose truth is known, and DeLong's test as a second opinion."""

from math import erf, sqrt
from pathlib import Path

import numpy as np
import torch

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import Feature
from app.imaging.volume import Modality
from training.cohort import Case, Cohort, CohortDescription, Split
from training.networks.heads import class_probabilities
from training.predictions import Predictions

ROUND: tuple[Split, ...] = ("validation", "calibration", "test")


def ordinal_predictions(
    n: int, seed: int, *, noise: float = 0.0, sharpness: float = 1.0, classes: int = 5, ids: str = "p"
) -> Predictions:
    """Patients whose outcomes are drawn from known grades' probabilities, dealt in turn to validation, calibration and test.

    Args:
        n: Patients.
        seed: Decides patients and outcomes; the noise has its own stream, so models of one seed see the same patients.
        noise: Standard deviation of what the model gets wrong, in logits.
        sharpness: Factor on the model's logits; above 1 it is overconfident.
        classes: K; 2 gives one plain logit.
        ids: Prefix of the pseudonyms.
    """
    rng = np.random.default_rng(seed)
    severity = rng.normal(0, 1.5, n)
    true = (severity[:, None] + np.linspace(1.0, -0.8, classes - 1)).astype(np.float32)
    p = class_probabilities(torch.from_numpy(true)).numpy()
    label = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1).astype(np.int64)
    wrong = np.random.default_rng([seed, round(1000 * noise)]).normal(0, 1, (n, 1)) * noise
    event_from = {5: 3, 4: 2, 2: 1}[classes]
    return Predictions(
        patient_id=tuple(f"{ids}{i}" for i in range(n)),
        split=tuple(ROUND[i % 3] for i in range(n)),
        label=label,
        logits=(sharpness * (true + wrong)).astype(np.float32),
        embedding=rng.normal(0, 1, (n, 4)).astype(np.float32),
        image_share=np.zeros((n, 0), dtype=np.float32),
        true_probability=p[:, event_from:].sum(axis=1).astype(np.float64),
    )


def cohort_of(predictions: Predictions) -> Cohort:
    """A cohort of those patients, in another order and without splits, with records of the reference schema and gaps in them."""
    rng = np.random.default_rng(0)
    features = AD_SCHEMA.features if predictions.logits.shape[1] == 1 else GOS_SCHEMA.features
    cases = [
        Case(
            patient_id=patient,
            image=(),
            masks=(),
            split=None,
            record=_record(features, rng),
            label=int(label),
            true_probability=None,
        )
        for patient, label in zip(predictions.patient_id, predictions.label, strict=True)
    ]
    description = CohortDescription(
        task="gos" if predictions.logits.shape[1] > 1 else "ad",
        modality=Modality.CT,
        source="made up",
        outcome="outcome",
        positive="the event",
        seed=None,
        features=features,
        minimum_features=0,
    )
    return Cohort(root=Path(), description=description, cases=tuple(reversed(cases)))


def _record(features: tuple[Feature, ...], rng: np.random.Generator) -> dict[str, object]:
    known = [feature for feature in features if rng.random() > 0.2]
    return {feature.name: _value(feature, rng) for feature in known}


def _value(feature: Feature, rng: np.random.Generator) -> float | str:
    if feature.plausible_range is None:
        return str(rng.choice(feature.categories))
    value = float(rng.uniform(*feature.plausible_range))
    return float(round(value)) if feature.is_whole else value


def delong(first: np.ndarray, second: np.ndarray, event: np.ndarray) -> tuple[float, float]:
    """Standard error of the difference of two paired AUROCs, and its two-sided p (DeLong et al. 1988, doi:10.2307/2531595)."""
    placements = [_placements(score, event) for score in (first, second)]
    positives = np.cov([of_events for of_events, _ in placements])
    negatives = np.cov([of_others for _, of_others in placements])
    covariance = positives / event.sum() + negatives / (~event).sum()
    error = sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    gain = placements[0][0].mean() - placements[1][0].mean()
    return error, 2 * (1 - 0.5 * (1 + erf(abs(gain) / error / sqrt(2))))


def _placements(score: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.sign(score[event][:, None] - score[~event][None, :]) / 2 + 0.5
    return pairs.mean(axis=1), pairs.mean(axis=0)
