"""training.tabular.score: unknown items, and a regression that follows the score."""

import numpy as np
import pytest
import torch

from tests.training.tabular.support import made, simulated
from training.cohort import CohortError
from training.metrics import auroc
from training.networks.heads import class_probabilities
from training.tabular.ich_score import ich_score


def test_an_unknown_item_counts_the_mean_of_the_training_patients() -> None:
    train = made({"age": [85, 50, 50, np.nan], "gcs": [15, 15, 15, 15]}, {}, labels=[0, 4, 3, 0])
    row = ich_score().fit(train, train)
    assert row.score(train).tolist() == pytest.approx([1, 0, 0, 1 / 3])


def test_items_that_no_training_patient_has_are_named() -> None:
    train = made({"age": [85, 50]}, {}, labels=[0, 4])
    assert ich_score().fit(train, train).note == "without GCS, volume, ventricles, location"


def test_a_cohort_without_any_item_is_refused() -> None:
    train = made({"glucose": [5, 6]}, {}, labels=[0, 4])
    with pytest.raises(CohortError, match="needs some of"):
        ich_score().fit(train, train)


def test_a_higher_ich_score_means_a_worse_outcome_and_the_order_is_kept() -> None:
    train, test = simulated(300, 1), simulated(2000, 2)
    row = ich_score().fit(train, train)
    favourable = class_probabilities(torch.from_numpy(row.logits(test))).numpy()[:, 3:].sum(axis=1)
    event = test.labels >= 3
    assert auroc(favourable, event) == pytest.approx(auroc(-row.score(test), event))
    assert auroc(favourable, event) > 0.65
