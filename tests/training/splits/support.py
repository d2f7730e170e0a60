"""Cohorts of patients drawn at random, some of whose features are unknown."""

import datetime as dt
from pathlib import Path

import numpy as np

from app.imaging.volume import Modality
from training.cohort import Case, Cohort, CohortDescription
from training.features import unitless

SITES = ("east", "north", "west")


def drawn_cohort(n: int, seed: int) -> Cohort:
    """Patients with a class, and mostly sex and age; every one with a site and a day."""
    rng = np.random.default_rng(seed)
    description = CohortDescription(
        task="gos", modality=Modality.CT, source="drawn", outcome="gos", positive="GOS 4-5", seed=seed,
        features=(unitless("severity", 0, 1),), minimum_features=0, site="hospital", date="day",
    )  # fmt: skip
    return Cohort(Path(), description, tuple(_case(f"p{number}", rng) for number in range(n)))


def _case(patient: str, rng: np.random.Generator) -> Case:
    record: dict[str, object] = {"sex": str(rng.choice(["female", "male"])), "age": float(rng.normal(65, 12))}
    known = {name: value for name, value in record.items() if rng.random() < 0.9}
    day = dt.date(2015, 1, 1) + dt.timedelta(days=int(rng.integers(3000)))
    label = int(rng.choice(5, p=[0.35, 0.05, 0.25, 0.2, 0.15]))
    return Case(patient, (Path("x"),), (), None, known, label, None, site=str(rng.choice(SITES)), date=day)
