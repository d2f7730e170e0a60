"""training.evaluation.intervals: a mean of numbers is no share of patients, whatever the numbers happen to be."""

import numpy as np
import pytest

from training.evaluation.intervals import mean_metrics


@pytest.mark.parametrize(("name", "value"), [("map_ssim", 1.0), ("peak_shift_mm", 0.0)])
def test_maps_that_are_alike_in_every_patient_are_not_given_the_interval_of_a_share(
    name: str, value: float
) -> None:
    """A map is wholly like itself in any number of patients; Wilson's interval of two of two would begin at 0.34."""
    (found,) = mean_metrics({name: np.full(2, value)})
    assert (found.value, found.low, found.high) == (value, value, value)


def test_a_peak_that_lies_in_every_mask_is_given_it() -> None:
    (found,) = mean_metrics({"pointing": np.ones(2)})
    assert (found.value, found.low, found.high) == pytest.approx((1, 0.342, 1), abs=1e-3)
