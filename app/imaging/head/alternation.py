"""Whether neighbouring slices show one image: two scans may lie between each other, or the patient have moved between two passes.

Headers cannot always tell: nothing in them says so where a program wrote both scans under one series, or where every second slice was acquired
after a movement. The values do. Within one image slices two apart differ more than neighbours; where noise is all there is, as much; only where
two images take turns do neighbours differ more.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, Real

from app.imaging.sampling.lattice import ACROSS, StoredLattice
from app.imaging.volume import Finding, Volume

ALTERNATING: Final = 1.05
"""Difference of neighbours over that of slices two apart. Heads have 0.5 to 0.75, noise 1; a second scan 5 mm beside a CT, or 2 mm beside a T1 of
0.7 mm, has more than 1.05 (real images)."""
FEWEST: Final = 8
"""Groups of three slices, below which nothing is said."""
MOST: Final = 24
"""Groups from one end, as many from the other."""
APART_MM: Final = 6.0
"""Between the voxels of a slice that are compared: enough of them in any head."""
SAME_GAP: Final = 0.2
"""Share by which two gaps may differ to be compared."""


def alternating(volume: Volume, lattice: StoredLattice) -> Finding | None:
    """Says so where neighbours differ more than slices two apart; of a NIfTI along any axis, since any may be that of its slices.

    Args:
        volume: The image.
        lattice: Where its voxels lie.
    """
    highest = max(_ratios(volume, lattice), default=0.0)
    if not highest > ALTERNATING:  # nor where values are too large to be compared
        return None
    return Finding(
        "slices-alternate",
        f"neighbouring slices differ {highest:.1f} times as much as every second one: two scans between each other, or a movement between two passes",
    )


def _ratios(volume: Volume, lattice: StoredLattice) -> Iterator[float]:
    steps_mm = (*lattice.in_plane_mm, float(lattice.gaps.mean()))
    every = [max(1, round(APART_MM / step)) for step in steps_mm]
    for axis in range(3) if volume.series is None else (ACROSS,):
        middles = _middles(volume.voxels.shape[axis])
        if axis == ACROSS:
            middles = middles[_even(lattice, middles)]
        if len(middles) < FEWEST:
            continue
        thinned = tuple(
            slice(None) if other == axis else slice(None, None, every[other]) for other in range(3)
        )
        along = np.moveaxis(volume.voxels[thinned], axis, 0)
        neighbours, apart = _differences(along, middles)
        if neighbours > 0:
            yield neighbours / apart if apart > 0 else np.inf


def _middles(size: int) -> Int64[np.ndarray, " n"]:
    """Middle slices of groups of three, the same from either end."""
    some = np.arange(1, size - 1, max(1, -(-(size - 2) // MOST)))
    return np.union1d(some, size - 1 - some)


def _even(lattice: StoredLattice, middles: Int64[np.ndarray, " n"]) -> np.ndarray:
    below, above = (lattice.depths[middles + at] - lattice.depths[middles + at - 1] for at in (0, 1))
    return np.asarray(np.abs(above - below) < SAME_GAP * (above + below) / 2)


def _differences(along: Real[np.ndarray, "n a b"], middles: Int64[np.ndarray, " m"]) -> tuple[float, float]:
    """Sums of the differences of neighbours, and of those two apart."""
    neighbours = apart = 0.0
    for middle in middles.tolist():
        three: list[Float32[np.ndarray, "a b"]] = [
            along[at].astype(np.float32) for at in (middle - 1, middle, middle + 1)
        ]
        neighbours += (
            sum(float(np.abs(one - other).sum(dtype=np.float64)) for one, other in pairwise(three)) / 2
        )
        apart += float(np.abs(three[2] - three[0]).sum(dtype=np.float64))
    return neighbours, apart
