"""The peer does the job it is timed on: the same points of the patient, the same smoothing rule."""

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name everybody knows it by

from app.imaging.volume import Grid
from benchmarks.contenders.simpleitk import resample


def _position_image() -> sitk.Image:
    """Each voxel holds its own x + 10 y + 100 z in RAS millimetres; linear, so smoothing inside leaves it alone."""
    k, j, i = np.indices((20, 24, 28), dtype=np.float32)
    spacing, origin = (1.0, 1.5, 2.0), (-9.0, -14.0, -20.0)
    x, y, z = (-(i * 1.0 - 9.0), -(j * 1.5 - 14.0), k * 2.0 - 20.0)
    image = sitk.GetImageFromArray((x + 10 * y + 100 * z).astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return image


def test_samples_lie_where_the_grid_says() -> None:
    affine = np.array([[0, 0, 2.0, -5.0], [0, 3.0, 0, -6.0], [4.0, 0, 0, -4.0], [0, 0, 0, 1.0]])
    grid = Grid(shape=(2, 3, 4), affine=affine)
    d, h, w = np.indices(grid.shape)
    expected = (2 * w - 5) + 10 * (3 * h - 6) + 100 * (4 * d - 4)
    np.testing.assert_allclose(resample(_position_image(), grid, fill=0.0), expected, atol=3.0)


def test_points_outside_the_image_get_the_fill_value() -> None:
    grid = Grid(shape=(1, 1, 1), affine=np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 500)
    assert resample(_position_image(), grid, fill=-1024.0).tolist() == [[[-1024.0]]]
