"""Probabilities, draws and holes that both risk worlds share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.phantoms.risk import (
    bernoulli,
    draw_class,
    hide_fields,
    linear_predictor,
    ordinal_probabilities,
)

CUTS = (-1.0, -0.2, 0.9, 2.0)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_ordinal_probabilities_are_a_distribution(predictor: list[float]) -> None:
    probabilities = ordinal_probabilities(np.array(predictor), CUTS)
    assert probabilities.shape == (len(predictor), 5)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)


@given(st.floats(-5, 5), st.floats(0.1, 5))
def test_a_larger_predictor_makes_every_better_class_likelier(predictor: float, step: float) -> None:
    worse, better = ordinal_probabilities(np.array([predictor, predictor + step]), CUTS)
    assert (np.cumsum(better[::-1])[:-1] > np.cumsum(worse[::-1])[:-1]).all()


def test_the_odds_of_each_threshold_change_by_the_same_factor() -> None:
    low, high = ordinal_probabilities(np.array([0.3, 1.0]), CUTS)
    exceed = [1 - np.cumsum(p)[:-1] for p in (low, high)]
    log_odds = [np.log(e / (1 - e)) for e in exceed]
    np.testing.assert_allclose(log_odds[1] - log_odds[0], 0.7)


def test_classes_are_drawn_as_often_as_they_are_likely() -> None:
    probabilities = np.tile([0.4, 0.03, 0.2, 0.2, 0.17], (60_000, 1))
    shares = np.bincount(draw_class(probabilities, np.random.default_rng(1)), minlength=5) / 60_000
    np.testing.assert_allclose(shares, probabilities[0], atol=0.007)


def test_a_bernoulli_draw_has_the_probability_of_its_log_odds() -> None:
    draws = bernoulli(np.full(60_000, np.log(3.0)), np.random.default_rng(2))
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert draws.mean() == pytest.approx(0.75, abs=0.007)


def test_a_term_without_a_coefficient_is_refused() -> None:
    with pytest.raises(ValueError, match="pre_ich_mrs"):
        linear_predictor({"age": np.ones(2), "pre_ich_mrs": np.ones(2)}, {"age": 1.0})


def test_each_field_is_missing_at_its_own_rate_and_independently() -> None:
    rng = np.random.default_rng(3)
    shares = {"a": 0.1, "b": 0.4, "c": 0.0}
    draws = np.array([list(hide_fields(("a", "b", "c"), shares, rng).values()) for _ in range(20_000)])
    np.testing.assert_allclose(draws.mean(axis=0), [0.1, 0.4, 0.0], atol=0.012)
    assert (draws[:, 0] & draws[:, 1]).mean() == pytest.approx(0.04, abs=0.006)
