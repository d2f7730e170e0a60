"""training.calibrate: scaling finds the planted temperature, conformal sets cover, distances are Mahalanobis."""

import numpy as np
import pytest
import torch

from training.calibrate import conformal_threshold, embedding_distances, fit_scaling
from training.networks.heads import class_probabilities


def test_temperature_finds_the_planted_factor() -> None:
    generator = torch.Generator().manual_seed(4)
    honest = torch.randn(20_000, 4, generator=generator)
    label = torch.multinomial(class_probabilities(honest), 1, generator=generator)[:, 0]
    scaling = fit_scaling(honest * 2.5, label, with_intercept=False)
    assert scaling.slope == pytest.approx(1 / 2.5, rel=0.03)
    assert scaling.intercept == 0


def test_platt_finds_slope_and_intercept() -> None:
    generator = torch.Generator().manual_seed(5)
    honest = torch.randn(40_000, 1, generator=generator)
    label = (torch.rand(40_000, generator=generator) < honest[:, 0].sigmoid()).long()
    scaling = fit_scaling(honest / 2 - 1, label, with_intercept=True)
    assert scaling.slope == pytest.approx(2, rel=0.05)
    assert scaling.intercept == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_above_the_threshold_cover_new_cases(coverage: float) -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.ones(5), 6000)
    label = (p.cumsum(axis=1) > rng.random((6000, 1))).argmax(axis=1)
    threshold = conformal_threshold(p[:3000], label[:3000], coverage)
    covered = p[np.arange(3000, 6000), label[3000:]] >= threshold
    assert covered.mean() == pytest.approx(coverage, abs=0.02)


def test_too_few_cases_for_the_coverage_admit_every_class() -> None:
    assert conformal_threshold(np.array([[0.9, 0.1]] * 3), np.array([0, 0, 0]), 0.9) == 0


def test_distances_rise_with_distance_from_training() -> None:
    rng = np.random.default_rng(7)
    train = rng.normal(0, [1, 10], (5000, 2))
    fitted = embedding_distances(train, rng.normal(0, [1, 10], (2000, 2)))

    def distance(x: list[float]) -> float:
        centred = np.array(x) - fitted.mean
        return float(np.sqrt(centred @ fitted.precision @ centred))

    assert distance([3, 0]) == pytest.approx(distance([0, 30]), rel=0.1)  # in units of each axis' own spread
    assert np.all(np.diff(fitted.quantiles) >= 0)
