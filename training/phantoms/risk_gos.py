"""The risk world of `gos`: patients with an intracerebral haemorrhage and their Glasgow Outcome Scale at 90 days.

    history (age, diseases, drugs) -> bleed (place, volume, ventricles) -> admission (GCS, pressure, labs)
                    |___________________________|_____________________________|
                                    proportional odds -> P(GOS = 1..5), exact

Directions and rough sizes of the main effects follow published scores; the interactions are planted so that neither the
image nor the record alone can answer. Every effect and its source is listed in docs/concepts/phantoms.md.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Float, Int, Real

from training.phantoms.risk import Column, Columns, bernoulli, linear_predictor, ordinal_probabilities

LOCATIONS: Final = ("lobar", "deep", "infratentorial")
LOBAR, DEEP, INFRATENTORIAL = range(3)
MEAN_AGE: Final = 64.0
MEDIAN_VOLUME_ML: Final = 15.0
VOLUME_RANGE_ML: Final = (1.0, 120.0)
INFRATENTORIAL_LIMIT_ML: Final = 40.0
"""The posterior fossa holds no more than that beside a living brainstem."""
MEDIAN_INR: Final = 1.05
MEDIAN_INR_ANTICOAGULATED: Final = 2.0
EXPANSION_HOURS: Final = 4.0
"""Haematomas that grow do so in the first hours (Brouwers 2014; Al-Shahi Salman 2018)."""

EFFECTS: Final = MappingProxyType(
    {
        "age_decade": -0.65,
        "gcs": 0.32,
        "pre_ich_mrs": -0.55,
        "glucose": -0.15,
        "anticoagulant": -0.50,
        "log2_volume": -0.60,
        "intraventricular": -1.00,
        "infratentorial": -0.65,
        "lobar": 0.45,
        "log2_volume x age_decade": -0.40,
        "log2_volume x expansion": -0.75,
        "infratentorial x gcs": 0.30,
        "lobar x gcs": -0.18,
    }
)
"""Log odds of a better outcome per unit of each term, see `_terms`."""
CUT_POINTS: Final = (-1.70, -1.42, 0.15, 1.85)
"""Log odds between GOS 1|2, 2|3, 3|4, 4|5 for the average patient."""
MISSING_SHARE: Final = MappingProxyType(
    {
        "age": 0.01,
        "sex": 0.01,
        "gcs": 0.03,
        "systolic_bp": 0.03,
        "diastolic_bp": 0.04,
        "glucose": 0.10,
        "inr": 0.12,
        "platelets": 0.10,
        "anticoagulant": 0.05,
        "antiplatelet": 0.06,
        "hypertension": 0.04,
        "diabetes": 0.04,
        "prior_stroke": 0.05,
        "onset_to_ct_hours": 0.15,
        "pre_ich_mrs": 0.15,
    }
)


@dataclass(frozen=True)
class GosPatients:
    """Patients, one per row of every array.

    Attributes:
        record: What the hospital record says, in the schema's units.
        location: Index into `LOCATIONS`.
        left: 1 where the bleed is on the left.
        volume_ml: Parenchymal blood.
        intraventricular: 1 where blood reached the ventricles.
    """

    record: Columns
    location: Int[np.ndarray, " n"]
    left: Real[np.ndarray, " n"]
    volume_ml: Float[np.ndarray, " n"]
    intraventricular: Real[np.ndarray, " n"]


def draw_patients(n: int, rng: np.random.Generator) -> GosPatients:
    """Draws patients whose fields depend on each other as in a stroke unit."""
    history = _history(n, rng)
    location = _location(history, rng)
    volume_ml = _volume_ml(history, location, rng)
    ventricles = bernoulli(-0.8 + 0.45 * _log2_volume(volume_ml) + 0.6 * (location == DEEP), rng)
    record = {**history, **_admission(history, location, volume_ml, ventricles, rng)}
    return GosPatients(record, location, bernoulli(np.zeros(n), rng), volume_ml, ventricles)


def outcome_probabilities(patients: GosPatients) -> Float[np.ndarray, "n 5"]:
    """Exact P(GOS = 1), ..., P(GOS = 5) given everything, the image's truths included."""
    return ordinal_probabilities(linear_predictor(_terms(patients), EFFECTS), CUT_POINTS)


def _terms(patients: GosPatients) -> dict[str, Column]:
    record = patients.record
    decades = (record["age"] - MEAN_AGE) / 10
    doublings = _log2_volume(patients.volume_ml)
    infratentorial = (patients.location == INFRATENTORIAL).astype(np.float64)
    lobar = (patients.location == LOBAR).astype(np.float64)
    early = np.exp(-record["onset_to_ct_hours"] / EXPANSION_HOURS)
    gcs = record["gcs"] - 12
    return {
        "age_decade": decades,
        "gcs": gcs,
        "pre_ich_mrs": record["pre_ich_mrs"],
        "glucose": record["glucose"] - 7.5,
        "anticoagulant": record["anticoagulant"],
        "log2_volume": doublings,
        "intraventricular": patients.intraventricular,
        "infratentorial": infratentorial,
        "lobar": lobar,
        "log2_volume x age_decade": doublings * decades,
        "log2_volume x expansion": doublings * early * (1 + 2 * record["anticoagulant"]),
        "infratentorial x gcs": infratentorial * gcs,
        "lobar x gcs": lobar * gcs,
    }


def _history(n: int, rng: np.random.Generator) -> Columns:
    age = np.clip(np.round(rng.normal(MEAN_AGE, 13, n)), 20, 98)
    years = age - MEAN_AGE
    hypertension = bernoulli(0.75 + 0.03 * years, rng)
    diabetes = bernoulli(-1.7 + 0.01 * years + 0.5 * hypertension, rng)
    prior_stroke = bernoulli(-2.0 + 0.03 * years + 0.4 * hypertension, rng)
    anticoagulant = bernoulli(-2.1 + 0.05 * years + 0.4 * prior_stroke, rng)
    antiplatelet = bernoulli(-1.3 + 0.03 * years + 1.2 * prior_stroke - 1.0 * anticoagulant, rng)
    disability = 0.05 * years + 1.3 * prior_stroke + rng.logistic(0, 1, n)
    return {
        "age": age,
        "sex": bernoulli(np.full(n, 0.2), rng),
        "hypertension": hypertension,
        "diabetes": diabetes,
        "prior_stroke": prior_stroke,
        "anticoagulant": anticoagulant,
        "antiplatelet": antiplatelet,
        "pre_ich_mrs": np.searchsorted([0.7, 1.5, 2.2, 3.1, 4.3], disability).astype(np.float64),
    }


def _location(history: Columns, rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """Deep bleeds go with hypertension, lobar ones with age (amyloid angiopathy) and anticoagulants."""
    lobar = 0.2 + 0.02 * (history["age"] - MEAN_AGE) + 0.4 * history["anticoagulant"]
    deep = np.full_like(lobar, -0.1) + 0.8 * history["hypertension"]
    scores = np.stack([lobar, deep, np.full_like(lobar, -0.75)], axis=1)
    return np.asarray(np.argmax(scores + rng.gumbel(0, 1, scores.shape), axis=1))


def _volume_ml(
    history: Columns, location: Int[np.ndarray, " n"], rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    mean = np.log(14.0) + 0.45 * history["anticoagulant"] + 0.35 * (location == LOBAR)
    infratentorial = location == INFRATENTORIAL
    volume_ml = np.exp(rng.normal(mean - 0.5 * infratentorial, 0.9))
    high = np.where(infratentorial, INFRATENTORIAL_LIMIT_ML, VOLUME_RANGE_ML[1])
    return np.asarray(np.round(np.clip(volume_ml, VOLUME_RANGE_ML[0], high), 2))


def _admission(
    history: Columns,
    location: Int[np.ndarray, " n"],
    volume_ml: Float[np.ndarray, " n"],
    ventricles: Real[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Columns:
    n = len(volume_ml)
    doublings = _log2_volume(volume_ml)
    # The noise is as wide as the bleed's own effect: the record must not tell what only the image knows.
    alertness = 13.7 - 0.7 * doublings - 0.9 * ventricles - 1.2 * (location == INFRATENTORIAL)
    systolic = rng.normal(162 + 14 * history["hypertension"], 27)
    glucose = np.exp(rng.normal(np.log(6.6) + 0.35 * history["diabetes"] + 0.03 * doublings, 0.2))
    return {
        "gcs": np.clip(np.round(alertness + rng.normal(0, 3.3, n)), 3, 15),
        "systolic_bp": np.clip(np.round(systolic), 80, 280),
        "diastolic_bp": np.clip(np.round(15 + 0.47 * systolic + rng.normal(0, 11, n)), 40, 160),
        "glucose": np.clip(np.round(glucose, 1), 3, 30),
        "inr": _inr(history["anticoagulant"], rng),
        "platelets": np.clip(np.round(np.exp(rng.normal(np.log(225), 0.3, n))), 30, 700),
        "onset_to_ct_hours": np.clip(np.round(np.exp(rng.normal(np.log(3.2), 0.9, n)), 1), 0.3, 48),
    }


def _inr(anticoagulant: Column, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    median = np.where(anticoagulant > 0, MEDIAN_INR_ANTICOAGULATED, MEDIAN_INR)
    spread = np.where(anticoagulant > 0, 0.4, 0.07)
    return np.clip(np.round(np.exp(rng.normal(np.log(median), spread)), 2), 0.8, 8)


def _log2_volume(volume_ml: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Doublings above the median bleed."""
    return np.log2(volume_ml / MEDIAN_VOLUME_ML)
