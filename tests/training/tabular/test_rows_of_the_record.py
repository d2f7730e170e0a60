"""Every tabular row: learns from training patients alone, and what is missing has no value."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from tests.training.tabular.support import simulated
from training.cohort import CohortError
from training.metrics import auroc
from training.networks.heads import class_probabilities
from training.rows import tabular_rows
from training.tabular.records import Records

ALL = sorted(tabular_rows())


@pytest.fixture(autouse=True)
def one_thread() -> None:
    threadpool_limits(1)


def favourable(name: str, train: Records, validation: Records, judged: Records) -> np.ndarray:
    (p,) = favourables(name, train, validation, judged)
    return p


def favourables(name: str, train: Records, validation: Records, *judged: Records) -> list[np.ndarray]:
    """What one fit answers to each."""
    fitted = tabular_rows()[name].make().fit(train, validation)
    logits = [torch.from_numpy(fitted.logits(each)) for each in judged]
    return [class_probabilities(each).numpy()[:, 3:].sum(axis=1) for each in logits]


@pytest.mark.parametrize("name", ALL)
def test_an_answer_does_not_depend_on_who_else_is_judged(name: str) -> None:
    train, validation, test = simulated(80, 1), simulated(30, 2), simulated(20, 3)
    other = simulated(500, 4)
    everyone = replace(
        test,
        values=np.concatenate([test.values, 100 * other.values]),
        missing=np.concatenate([test.missing, other.missing]),
        labels=np.concatenate([test.labels, other.labels]),
        readings={key: np.concatenate([test.readings[key], other.readings[key]]) for key in test.readings},
    )
    alone, among_others = favourables(name, train, validation, test, everyone)
    assert among_others[:20] == pytest.approx(alone)


@pytest.mark.parametrize("name", ALL)
def test_a_value_under_a_missing_flag_has_no_effect(name: str) -> None:
    train, validation, test = (simulated(80, seed) for seed in (1, 2, 3))
    noise = np.random.default_rng(0).normal(0, 50, test.values.shape).astype(np.float32)

    def disturbed(records: Records) -> Records:
        return replace(records, values=records.values + noise * records.missing)

    expected = favourable(name, train, validation, test)
    assert favourable(name, disturbed(train), disturbed(validation), disturbed(test)) == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("name", "least"),
    [("ehr-lr", 0.68), ("ehr-gbm", 0.65), ("func", 0.62), ("ich-score", 0.65), ("reading-lr", 0.8)],
)
def test_it_learns_what_the_risk_world_planted(name: str, least: float) -> None:
    train, validation, test = simulated(500, 1), simulated(150, 2), simulated(2000, 3)
    assert auroc(favourable(name, train, validation, test), test.labels >= 3) > least


def test_a_record_with_nothing_in_it_is_answered() -> None:
    train, empty = simulated(80, 1), simulated(5, 2, missing=1.0)
    for name in ALL:
        assert np.isfinite(favourable(name, train, train, empty)).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("feature", ["gcs", "anticoagulant"])
def test_a_feature_that_no_training_patient_has_says_nothing(name: str, feature: str) -> None:
    """Not even of the patients who reached a rare grade: each threshold is fitted on some of them alone."""
    train, validation, test = simulated(80, 1), simulated(30, 2), simulated(20, 3)
    column = [each.name for each in train.features].index(feature)

    def without(records: Records, reached: int = 0) -> Records:
        missing = records.missing.copy()
        missing[records.labels >= reached, column] = 1
        return replace(records, missing=missing)

    assert np.isfinite(favourable(name, without(train, reached=3), validation, test)).all()
    known, hidden = favourables(name, without(train), validation, test, without(test))
    assert np.isfinite(known).all()
    assert known == pytest.approx(hidden)


@pytest.mark.parametrize("name", ["ehr-lr", "reading-lr"])
def test_a_penalty_cannot_be_chosen_on_one_patient(name: str) -> None:
    with pytest.raises(
        CohortError, match=r"at least 2 of them, found 1; add patients, or leave this row out"
    ):
        favourable(name, simulated(1, 1), simulated(5, 2), simulated(5, 3))


@pytest.mark.parametrize("name", ["ehr-lr", "ehr-gbm", "prevalence"])
@pytest.mark.parametrize("patients", [2, 80])
def test_training_patients_of_one_outcome_are_enough(name: str, patients: int) -> None:
    train = simulated(patients, 1)
    alike = replace(train, labels=np.zeros_like(train.labels))
    assert (favourable(name, alike, alike, simulated(5, 2)) < 0.5).all()


def test_scores_have_no_meaning_for_a_diagnosis() -> None:
    assert {row.name for row in tabular_rows().values() if "ad" in row.tasks} == {
        "prevalence",
        "ehr-lr",
        "ehr-gbm",
    }
