"""training.evaluation.distance: distances are Mahalanobis, false alarms as rare as promised, strangers flagged."""

from pathlib import Path

import numpy as np
import pytest

from app.inference.calibration import OutOfDistributionScorer
from training.evaluation.distance import EMBEDDING_FILE, FLAG_ABOVE, fit_distances, judge_distance


def test_distances_count_in_units_of_each_axis_own_spread() -> None:
    rng = np.random.default_rng(7)
    fitted = fit_distances(rng.normal(0, [1, 10], (5000, 2)), rng.normal(0, [1, 10], (2000, 2)))
    near, far = fitted.score(np.array([[1.5, 0], [0, 15]])), fitted.score(np.array([[0, 1.5]]))
    assert near[0] == pytest.approx(near[1], abs=0.05)
    assert far[0] < near[0]
    assert np.all(np.diff(fitted.quantiles) >= 0)


@pytest.mark.parametrize("calibration", [30, 150, 600])
def test_one_in_a_hundred_of_the_same_kind_is_flagged(calibration: int) -> None:
    """Mean over 60 fits; with fewer than 99 calibration cases nothing but their farthest can be the limit: 1 / (n + 1)."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        train, held, new = (rng.standard_t(8, (n, 6)) for n in (400, calibration, 1000))
        shares.append(judge_distance(fit_distances(train, held), new).flagged["test"])
    assert np.mean(shares) == pytest.approx(max(0.01, 1 / (calibration + 1)), abs=0.008)


def test_a_new_case_lies_beyond_a_quantile_as_often_as_it_says_and_not_a_little_oftener() -> None:
    """Of 99 cases each quantile of a whole per cent is a case itself: one in a hundred new ones lies beyond the farthest."""
    rng = np.random.default_rng(3)
    train, calibration = rng.normal(0, 1, (400, 6)), rng.normal(0, 1, (99, 6))
    fitted = fit_distances(train, calibration)
    centred = calibration - fitted.mean
    distance = np.sort(np.sqrt(np.einsum("nd,de,ne->n", centred, fitted.precision, centred)))
    np.testing.assert_allclose(fitted.quantiles[2:200:2], distance)


def test_strangers_are_flagged() -> None:
    rng = np.random.default_rng(1)
    fitted = fit_distances(rng.normal(0, 1, (400, 6)), rng.normal(0, 1, (200, 6)))
    found = judge_distance(fitted, rng.normal(0, 1, (300, 6)) + 3)
    assert found.flagged["test"] > 0.9
    assert found.threshold == FLAG_ABOVE


def test_the_service_scores_as_the_evaluation_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    fitted = fit_distances(rng.normal(0, 1, (200, 4)), rng.normal(0, 1, (100, 4)))
    with np.load(fitted.save(tmp_path)) as stored:
        served = OutOfDistributionScorer(stored["mean"], stored["precision"], stored["quantiles"], FLAG_ABOVE)
    new = rng.normal(0, 2, (50, 4))
    np.testing.assert_allclose(fitted.score(new), [served(each).score for each in new], atol=1e-12)
    assert (tmp_path / EMBEDDING_FILE).is_file()
