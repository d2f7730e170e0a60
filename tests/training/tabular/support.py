"""Patients of the phantoms' risk world as tables, and hand-made ones."""

from collections.abc import Mapping

import numpy as np

from app.ehr.reference import GOS_SCHEMA
from app.ehr.schema import Feature
from training.features import unitless
from training.phantoms import risk_gos
from training.tabular.records import Records


def simulated(n: int, seed: int, missing: float = 0.1) -> Records:
    """Patients with haemorrhage whose outcomes are drawn from the risk world's exact probabilities."""
    rng = np.random.default_rng(seed)
    patients = risk_gos.draw_patients(n, rng)
    probabilities = risk_gos.outcome_probabilities(patients)
    labels = (probabilities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=4)
    values = np.stack([patients.record[feature.name] for feature in GOS_SCHEMA.features], axis=1)
    hidden = rng.random(values.shape) < missing
    return Records(
        features=GOS_SCHEMA.features,
        values=np.where(hidden, 0, values).astype(np.float32),
        missing=hidden.astype(np.float32),
        labels=labels.astype(np.int64),
        classes=5,
        readings={
            "volume_ml": np.asarray(patients.volume_ml, np.float64),
            "intraventricular": np.asarray(patients.intraventricular, np.float64),
            "lobar": (patients.location == risk_gos.LOBAR).astype(np.float64),
            "infratentorial": (patients.location == risk_gos.INFRATENTORIAL).astype(np.float64),
        },
    )


def made(
    record: Mapping[str, list[float]],
    readings: Mapping[str, list[float]],
    labels: list[int] | None = None,
    unit: str = "1",
) -> Records:
    """Numeric columns as given, in one unit, NaN where unknown."""
    table = np.array(list(record.values()), dtype=np.float32).T
    return Records(
        features=tuple(_numeric(name, unit) for name in record),
        values=np.nan_to_num(table),
        missing=np.isnan(table).astype(np.float32),
        labels=np.array(labels or [0] * len(table), dtype=np.int64),
        classes=5,
        readings={name: np.array(column, dtype=np.float64) for name, column in readings.items()},
    )


def _numeric(name: str, unit: str) -> Feature:
    return unitless(name, 0, 300).model_copy(update={"unit": unit})
