"""Dilation and erosion by the six neighbours of a voxel.

The same as `scipy.ndimage.binary_dilation` and `binary_erosion`, whose loops for any structuring element take ten times as
long as shifting the whole array.
"""

import numpy as np
from jaxtyping import Bool


def grown(body: Bool[np.ndarray, "k j i"]) -> Bool[np.ndarray, "k j i"]:
    """Dilation: every voxel of the body and its neighbours."""
    larger = body.copy()
    for axis in range(body.ndim):
        here, there = np.moveaxis(larger, axis, 0), np.moveaxis(body, axis, 0)
        here[1:] |= there[:-1]
        here[:-1] |= there[1:]
    return larger


def shrunk(body: Bool[np.ndarray, "k j i"]) -> Bool[np.ndarray, "k j i"]:
    """Erosion: what is left are voxels whose neighbours are all of the body; beyond the image lies nothing."""
    smaller = body.copy()
    for axis in range(body.ndim):
        here, there = np.moveaxis(smaller, axis, 0), np.moveaxis(body, axis, 0)
        here[1:] &= there[:-1]
        here[:-1] &= there[1:]
        here[[0, -1]] = False
    return smaller
