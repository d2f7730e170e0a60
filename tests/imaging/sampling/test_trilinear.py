import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from app.imaging.sampling.trilinear import read_trilinear


@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 6, 7), (5, 1, 1), (1, 1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scipy_reads_the_same(shape: tuple[int, int, int], dtype: type) -> None:
    rng = np.random.default_rng(4)
    part = rng.normal(size=shape).astype(np.float32)
    at: np.ndarray = rng.uniform(-1.0, 7.0, (3, 20, 30)).astype(dtype)
    at[:, 0, :3] = np.array(shape)[:, None] - 1.0  # exactly on the last voxel
    assert np.allclose(
        read_trilinear(part, *at), map_coordinates(part, at, order=1, mode="nearest"), atol=1e-5
    )
