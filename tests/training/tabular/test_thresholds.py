"""training.tabular.thresholds: classifiers as CORN logits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from tests.training.tabular.support import simulated
from training.metrics import negative_log_likelihood
from training.networks.heads import class_probabilities
from training.tabular.prevalence import Prevalence
from training.tabular.thresholds import SharedSlope, Thresholds, exceedance_nll


def test_prevalence_gives_back_the_frequencies_of_the_classes() -> None:
    train = simulated(3000, 1)
    p = class_probabilities(torch.from_numpy(Prevalence().fit(train, train).logits(train)))
    frequencies = np.bincount(train.labels, minlength=5) / len(train)
    assert p[0].numpy() == pytest.approx(frequencies, abs=0.002)
    assert (p == p[0]).all()


def test_classes_that_never_came_keep_a_small_finite_probability() -> None:
    design, labels = np.random.default_rng(0).normal(size=(30, 2)), np.array([0, 1, 4] * 10)
    p = class_probabilities(
        torch.from_numpy(Thresholds(LogisticRegression).fit(design, labels, 5).logits(design))
    )
    assert bool(torch.isfinite(p).all())
    assert 0 < float(p[:, 2].max()) < 0.1


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 5]))
def test_the_likelihood_is_that_of_the_class_probabilities(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    # Bounded, so that no probability of a class falls below the least that a likelihood takes.
    logits = rng.uniform(-2.5, 2.5, (20, classes - 1)).astype(np.float32)
    labels = rng.integers(0, classes, 20)
    p = class_probabilities(torch.from_numpy(logits)).numpy()
    assert exceedance_nll(logits, labels) == pytest.approx(negative_log_likelihood(p, labels), rel=1e-3)


@pytest.mark.parametrize("label", [0, 4])
def test_a_shared_slope_of_patients_with_one_outcome_answers_with_that_outcome(label: int) -> None:
    design = np.random.default_rng(0).normal(size=(30, 1))
    logits = SharedSlope(LogisticRegression).fit(design, np.full(30, label), 5).logits(design)
    p = class_probabilities(torch.from_numpy(logits))
    assert p.shape == (30, 5)
    assert (p.argmax(1) == label).all()
    assert bool(torch.isfinite(p).all())


@given(st.integers(0, 2**32 - 1))
def test_with_a_shared_slope_every_threshold_follows_the_input(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, 40)
    logits = (
        SharedSlope(LogisticRegression)
        .fit(rng.normal(size=(40, 1)), labels, 5)
        .logits(np.array([[0.0], [1.0]]))
    )
    steps = logits[1] - logits[0]
    assert steps == pytest.approx(steps[0], abs=1e-4)
