"""The facts of an image, as they are printed."""

from pathlib import Path

import numpy as np
import pytest

from app.imaging.read import read_image
from app.imaging.resample import as_volume
from app.imaging.volume import Grid, Modality
from app.inspection.report import describe
from tests.imaging.making import Series


def test_values_are_the_voxels_own() -> None:
    voxels = np.arange(101 * 5 * 5, dtype=np.float32).reshape((101, 5, 5), order="F")
    image = describe(as_volume(voxels, Grid(voxels.shape, np.diag([-1.0, 2, 3, 1]))))
    assert image.values == {
        "least": 0.0,
        "p1": pytest.approx(25.24, abs=0.01),
        "p50": 1262.0,
        "p99": pytest.approx(2498.76, abs=0.01),
        "greatest": 2524.0,
    }
    assert (image.unit, image.orientation, image.spacing_mm) == ("raw", "LAS", (1.0, 2.0, 3.0))
    assert (image.gaps_mm, image.tilt_degrees) == ((3.0, 3.0, 3.0), 0.0)


@pytest.mark.parametrize("tilt", [0.0, 18.5, -12.0])
def test_tilt_and_gaps_are_those_of_the_series(tmp_path: Path, tilt: float) -> None:
    depths = (0, 4, 8, 12, 16, 23, 30, 37)
    volume = read_image(Series(depths_mm=depths, tilt_degrees=tilt).write(tmp_path), modality=Modality.CT)
    image = describe(volume)
    assert image.tilt_degrees == abs(tilt)
    assert image.gaps_mm == pytest.approx((4, 4, 7), abs=1e-3)
    assert image.unit == "HU"
    assert image.shape == (56, 64, 8)
