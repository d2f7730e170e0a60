"""The risk world of `ad`: older people with a head MRI, and whether they have Alzheimer's disease (`ad`) or not (`cn`).

    record (age, APOE, education, ...) -> atrophy (hippocampus, ventricles, cortex)
                    |________________________|
                           logistic -> P(ad), exact

Atrophy is drawn before the diagnosis, from age, APOE and a hidden process: the image tells what the record does not.
Directions and rough sizes of the main effects follow published studies; the interactions are planted so that neither
the image nor the record alone can answer. Every effect and its source is listed in docs/concepts/phantoms.md.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from training.phantoms.risk import Column, Columns, bernoulli, linear_predictor

MEAN_AGE: Final = 74.0
MEAN_EDUCATION_YEARS: Final = 13.0
MEAN_HIPPOCAMPUS_Z: Final = -1.2
APOE4_LOG_ODDS: Final = float(np.log(3.0))
"""Odds ratio of about 3 for each allele (Farrer 1997)."""

EFFECTS: Final = MappingProxyType(
    {
        "age_decade": 0.60,
        "female": 0.20,
        "education_year": -0.18,
        "apoe4_allele": APOE4_LOG_ODDS,
        "hypertension": 0.20,
        "diabetes": 0.35,
        "family_history": 0.70,
        "hippocampus_loss": 1.10,
        "ventricle_log2": 0.60,
        "cortical_thinning": 0.45,
        "hippocampus_loss x age_decade": -0.75,
        "hippocampus_loss x apoe4_allele": 0.50,
        "cortical_thinning x education_year": 0.12,
    }
)
"""Log odds of `ad` per unit of each term, see `_terms`."""
INTERCEPT: Final = -1.60
MISSING_SHARE: Final = MappingProxyType(
    {
        "age": 0.01,
        "sex": 0.01,
        "education_years": 0.08,
        "apoe4_alleles": 0.20,
        "systolic_bp": 0.06,
        "hypertension": 0.04,
        "diabetes": 0.04,
        "family_history": 0.12,
    }
)


@dataclass(frozen=True)
class AdPatients:
    """People, one per row of every array.

    Attributes:
        record: What the hospital record says, in the schema's units.
        hippocampus_z: Volume of both hippocampi in standard deviations from that of a healthy 60-year-old.
        ventricle_scale: Width of the lateral ventricles over that of a healthy 60-year-old.
        cortical_thinning: 0 a full cortex with narrow sulci, 3 a thin one with wide sulci.
    """

    record: Columns
    hippocampus_z: Float[np.ndarray, " n"]
    ventricle_scale: Float[np.ndarray, " n"]
    cortical_thinning: Float[np.ndarray, " n"]


def draw_patients(n: int, rng: np.random.Generator) -> AdPatients:
    """Draws people of a memory clinic and their volunteers; atrophy follows age, APOE and chance."""
    record = _record(n, rng)
    years = record["age"] - MEAN_AGE
    hidden = rng.normal(0, 1, n)  # what shrinks all three parts of a brain together
    hippocampus = MEAN_HIPPOCAMPUS_Z - 0.03 * years - 0.25 * record["apoe4_alleles"]
    hippocampus_z = hippocampus - 0.6 * hidden + rng.normal(0, 1.0, n)
    ventricle = np.exp(np.log(1.3) + 0.012 * years + 0.12 * hidden + rng.normal(0, 0.2, n))
    thinning = 1.1 + 0.02 * years + 0.35 * hidden + rng.normal(0, 0.5, n)
    return AdPatients(
        record,
        hippocampus_z=np.round(np.clip(hippocampus_z, -4.5, 2.5), 3),
        ventricle_scale=np.round(np.clip(ventricle, 0.7, 2.6), 3),
        cortical_thinning=np.round(np.clip(thinning, 0, 3), 3),
    )


def ad_probability(patients: AdPatients) -> Float[np.ndarray, " n"]:
    """Exact P(ad) given everything, the image's truths included."""
    return np.asarray(expit(INTERCEPT + linear_predictor(_terms(patients), EFFECTS)), np.float64)


def _terms(patients: AdPatients) -> dict[str, Column]:
    record = patients.record
    decades = (record["age"] - MEAN_AGE) / 10
    education = record["education_years"] - MEAN_EDUCATION_YEARS
    alleles = record["apoe4_alleles"]
    loss = MEAN_HIPPOCAMPUS_Z - patients.hippocampus_z
    thinning = patients.cortical_thinning - 1.1
    return {
        "age_decade": decades,
        "female": 1 - record["sex"],
        "education_year": education,
        "apoe4_allele": alleles,
        "hypertension": record["hypertension"],
        "diabetes": record["diabetes"],
        "family_history": record["family_history"],
        "hippocampus_loss": loss,
        "ventricle_log2": np.log2(patients.ventricle_scale / 1.3),
        "cortical_thinning": thinning,
        "hippocampus_loss x age_decade": loss * decades,
        "hippocampus_loss x apoe4_allele": loss * alleles,
        "cortical_thinning x education_year": thinning * education,
    }


def _record(n: int, rng: np.random.Generator) -> Columns:
    age = np.clip(np.round(rng.normal(MEAN_AGE, 8, n)), 50, 97)
    years = age - MEAN_AGE
    hypertension = bernoulli(0.1 + 0.03 * years, rng)
    diabetes = bernoulli(-1.7 + 0.6 * hypertension, rng)
    systolic = rng.normal(132 + 0.3 * years + 9 * hypertension, 15)
    # Carriers per chromosome in such cohorts; each person has two.
    alleles = rng.binomial(2, 0.27, n).astype(np.float64)
    return {
        "age": age,
        "sex": bernoulli(np.full(n, -0.15), rng),
        "education_years": np.clip(np.round(rng.normal(MEAN_EDUCATION_YEARS, 3.5, n)), 0, 24),
        "apoe4_alleles": alleles,
        "systolic_bp": np.clip(np.round(systolic), 85, 230),
        "hypertension": hypertension,
        "diabetes": diabetes,
        "family_history": bernoulli(-0.9 + 0.5 * alleles, rng),
    }
