"""training.evaluation.small_samples: published intervals, and quantiles with which resampling a mean gives Student's interval."""

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from training.evaluation.small_samples import expanded_quantiles, told_by_few, unseen_share, wilson


def test_the_interval_of_a_share_is_that_of_the_literature() -> None:
    """Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E), table I, method 3."""
    low, high = wilson(np.array([81 / 263, 15 / 148, 0.0, 1 / 29]), np.array([263, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)
    assert high[2] == pytest.approx(unseen_share(20))


@pytest.mark.parametrize("n", [3, 5, 14, 300])
def test_the_quantiles_of_a_resampled_mean_end_where_students_interval_does(n: int) -> None:
    """Resampled means spread by sqrt((n - 1) / n) of the standard error."""
    low, high = expanded_quantiles(n)
    reach = norm.isf(1 - high) * math.sqrt((n - 1) / n)
    assert reach == pytest.approx(t.isf(0.025, n - 1), rel=1e-4)
    assert low == pytest.approx(1 - high)


def test_many_patients_have_the_plain_quantiles_and_p() -> None:
    assert expanded_quantiles(100_000) == pytest.approx((0.025, 0.975), abs=1e-5)
    assert told_by_few(0.03, 100_000) == pytest.approx(0.03, abs=1e-5)


@pytest.mark.parametrize("n", [3, 14, 60])
def test_p_is_one_in_twenty_where_the_interval_ends(n: int) -> None:
    assert told_by_few(2 * expanded_quantiles(n)[0], n) == pytest.approx(0.05)
    assert told_by_few(1.0, n) == 1


def test_one_patient_tells_nothing_and_two_have_all_that_was_drawn() -> None:
    assert expanded_quantiles(1) == (0, 1)
    assert expanded_quantiles(2) == pytest.approx((0, 1), abs=1e-12)
    assert told_by_few(0.001, 1) == 1
