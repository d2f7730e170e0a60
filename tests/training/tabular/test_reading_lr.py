"""The regression on record and CT reading: readings are used, and unknown ones are no zeros."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.tabular.support import simulated
from training.cohort import CohortError
from training.metrics import auroc
from training.tabular.ehr_lr import EhrLogistic
from training.tabular.reading_lr import ReadingLogistic, with_readings
from training.tabular.readings import READINGS


def test_a_reading_adds_to_the_record_what_only_the_image_knows() -> None:
    train, test = simulated(600, 1), simulated(3000, 2)
    # Summed CORN logits order the patients as the probability of a better outcome does, near enough for an area.
    read = ReadingLogistic().fit(train, train).logits(test).sum(axis=1)
    record = EhrLogistic().fit(train, train).logits(test).sum(axis=1)
    assert auroc(read, test.labels >= 3) > auroc(record, test.labels >= 3) + 0.03


def test_an_unknown_reading_is_missing_and_not_zero() -> None:
    records = simulated(20, 3)
    volume = records.readings["volume_ml"].copy()
    volume[:5] = np.nan
    extended = with_readings(replace(records, readings={**records.readings, "volume_ml": volume}))
    column = [feature.name for feature in extended.features].index("volume_ml")
    assert extended.missing[:, column].tolist() == [1.0] * 5 + [0.0] * 15
    assert np.isnan(extended.table[:5, column]).all()


def test_a_cohort_without_any_reading_is_refused_by_what_it_lacks() -> None:
    nothing = replace(simulated(30, 4), readings={})
    with pytest.raises(CohortError, match="volume_ml, intraventricular and location"):
        ReadingLogistic().fit(nothing, nothing)


def test_doublings_of_the_volume_weigh_the_same() -> None:
    records = simulated(3, 5)
    volume = np.array([1.0, 3.0, 7.0])
    extended = with_readings(replace(records, readings={**records.readings, "volume_ml": volume}))
    assert extended.values[:, -len(READINGS)].tolist() == [1.0, 2.0, 3.0]
