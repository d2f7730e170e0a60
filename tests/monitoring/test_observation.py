"""What the cases of a package are held against where it brings no summary of training."""

import numpy as np
import pytest

from app.monitoring.observation import EMBEDDING, reference_of
from tests.support.tiny_package import tiny_manifest


def test_a_package_expects_to_flag_as_many_as_its_threshold_leaves() -> None:
    manifest = tiny_manifest("gos", "gos", 1)
    expected = reference_of(manifest, None).shares
    assert expected.keys() == {("answer", "out_of_distribution")}
    flagged = expected["answer", "out_of_distribution"]
    assert flagged.share == pytest.approx(1 - manifest.out_of_distribution.threshold)
    assert flagged.n == manifest.calibration.n


def test_calibration_cases_lie_as_often_in_each_tenth_of_their_own_distances() -> None:
    expected = reference_of(tiny_manifest("gos", "gos", 1), None).distributions
    assert expected.keys() == {EMBEDDING}
    assert expected[EMBEDDING].shares == (0.1,) * 10
    assert expected[EMBEDDING].edges == pytest.approx(np.arange(1, 10) / 10)
