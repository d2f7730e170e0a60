import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from app.imaging.head.morphology import grown, shrunk


@given(st.tuples(*[st.integers(1, 7)] * 3), st.floats(0, 1), st.integers(0, 1000))
def test_scipy_grows_and_shrinks_alike(shape: tuple[int, int, int], density: float, seed: int) -> None:
    body = np.random.default_rng(seed).random(shape) < density
    assert np.array_equal(grown(body), ndimage.binary_dilation(body))
    assert np.array_equal(shrunk(body), ndimage.binary_erosion(body))
