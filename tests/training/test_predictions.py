"""training.predictions: answers come back as they were kept, or it is said that they do not."""

from pathlib import Path

import numpy as np
import pytest

from training.cohort import CohortError
from training.predictions import Predictions, load_predictions, save_predictions


@pytest.mark.parametrize("left", [0, 30, 700])
def test_answers_that_a_power_cut_cut_off_are_named_with_the_remedy(tmp_path: Path, left: int) -> None:
    nothing = np.zeros((2, 0), np.float32)
    logits, known = np.array([[0.5], [-1]], np.float32), np.array([0.5, np.nan])
    kept = Predictions(("p1", "p2"), ("train", "test"), np.array([0, 1]), logits, nothing, nothing, known)
    path = save_predictions(kept, tmp_path)
    np.testing.assert_array_equal(load_predictions(tmp_path).logits, logits)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(CohortError, match=r"predictions.npz .* is damaged; delete it"):
        load_predictions(tmp_path)
