"""A brain as tissue fractions: folded cortex, deep grey matter, ventricles and hippocampi, each as atrophy left it.

Coordinates and sizes are rough readings of the MNI152 atlas (RAS+ mm, see `implicit`). The brain is a cartoon: it
has the parts that atrophy changes, at their places and sizes, and folds that no two brains share.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float32

from training.phantoms.brain_surface import folded_depth
from training.phantoms.implicit import Field, Lattice, Point, ellipsoid_depth, fraction, tube_depth

HIPPOCAMPUS_SD: Final = 0.13
"""One standard deviation as a share of the mean volume: about 0.4 of 3.2 ml a side in healthy adults."""
SMALLEST_HIPPOCAMPUS: Final = 0.3
BRAIN_LOW: Final[Point] = (-75.0, -110.0, -72.0)
BRAIN_HIGH: Final[Point] = (75.0, 78.0, 86.0)
CORTEX_MM: Final = 3.0

Knot = tuple[Point, float]
"""A point of a shape's centre line, right side, and the radius there, mm."""
_HIPPOCAMPUS: Final[tuple[Knot, ...]] = (
    ((22.0, -7.0, -22.0), 4.6),
    ((26.0, -13.0, -21.0), 6.0),
    ((29.5, -23.0, -15.0), 4.8),
    ((27.0, -33.0, -7.0), 4.0),
    ((20.0, -39.0, 1.0), 2.6),
)
_BODY: Final[tuple[Knot, ...]] = (
    ((14.0, 33.0, 2.0), 3.0),
    ((10.0, 22.0, 9.0), 5.2),
    ((8.0, 2.0, 18.0), 4.6),
    ((11.0, -20.0, 21.0), 4.6),
    ((20.0, -37.0, 15.0), 6.0),
    ((28.0, -46.0, 4.0), 6.2),
)
_OCCIPITAL_HORN: Final[tuple[Knot, ...]] = (((28.0, -46.0, 4.0), 6.0), ((25.0, -72.0, 4.0), 2.2))
_TEMPORAL_HORN: Final[tuple[Knot, ...]] = (
    ((28.0, -46.0, 4.0), 5.0),
    ((36.0, -33.0, -8.0), 2.0),
    ((35.0, -20.0, -16.0), 1.6),
    ((31.0, -8.0, -20.0), 2.0),
)
_DEEP_GREY: Final[tuple[tuple[Point, Point, float], ...]] = (
    ((11.0, -19.0, 7.0), (9.0, 14.0, 9.0), 0.55),  # thalamus
    ((26.0, 3.0, 1.0), (6.0, 16.0, 11.0), 0.85),  # putamen
    ((18.0, -3.0, -1.0), (5.0, 8.0, 7.0), 0.35),  # pallidum
    ((14.0, 14.0, 8.0), (5.0, 10.0, 10.0), 0.9),  # caudate, head
    ((23.0, -3.0, -19.0), (8.0, 8.0, 8.0), 0.9),  # amygdala
)
"""Centre, half axes (mm) and how grey (1 as grey as cortex)."""


@dataclass(frozen=True)
class Atrophy:
    """What ageing and disease did to a brain.

    Attributes:
        hippocampus_z: Volume of the hippocampi in standard deviations from that of a healthy 60-year-old.
        ventricle_scale: Width of the lateral ventricles over that of a healthy 60-year-old.
        cortical_thinning: 0 a full cortex with narrow sulci, 3 a thin one with wide sulci.
    """

    hippocampus_z: float
    ventricle_scale: float
    cortical_thinning: float


@dataclass(frozen=True)
class Brain:
    """Tissue on a lattice; what is neither grey nor white inside the skull is CSF.

    Attributes:
        lattice: Where the arrays lie in the head frame.
        brain: Share of each voxel that is brain.
        white: How white that brain is: 0 cortex, 1 white matter.
        hippocampi: Share of each voxel that is hippocampus.
        ventricles: Share of each voxel that is ventricle.
    """

    lattice: Lattice
    brain: Float32[np.ndarray, "x y z"]
    white: Float32[np.ndarray, "x y z"]
    hippocampi: Float32[np.ndarray, "x y z"]
    ventricles: Float32[np.ndarray, "x y z"]

    @property
    def hippocampus_ml(self) -> float:
        """Volume of both hippocampi, head frame."""
        return float(self.hippocampi.sum()) * self.lattice.step**3 / 1000


def grow_brain(atrophy: Atrophy, step: float, rng: np.random.Generator) -> Brain:
    """Grows one brain.

    Args:
        atrophy: How far it shrank.
        step: Lattice distance, mm.
        rng: Source of the folds and of small differences in place and size.
    """
    lattice = Lattice.covering(BRAIN_LOW, BRAIN_HIGH, step)
    depth = folded_depth(lattice, atrophy.cortical_thinning, rng)
    cortex = np.float32(CORTEX_MM - 0.35 * atrophy.cortical_thinning)
    nothing = [np.zeros(lattice.shape, np.float32) for _ in range(2)]
    brain = Brain(lattice, fraction(depth, step), fraction(depth - cortex, step), *nothing)
    _add_deep_grey(brain, rng)
    _add_ventricles(brain, atrophy, rng)
    _add_hippocampi(brain, atrophy, rng)
    return brain


def hippocampus_volume_ratio(hippocampus_z: float) -> float:
    """Volume over that of a healthy 60-year-old."""
    return max(SMALLEST_HIPPOCAMPUS, 1 + HIPPOCAMPUS_SD * hippocampus_z)


def _add_deep_grey(brain: Brain, rng: np.random.Generator) -> None:
    for centre, semi, grey in _DEEP_GREY:
        for side in (-1.0, 1.0):
            x, y, z = (float(c) for c in np.asarray(centre) * (side, 1, 1) + rng.normal(0, 0.8, 3))
            reach = max(semi) + brain.lattice.step
            window, where = brain.lattice.window(
                (x - reach, y - reach, z - reach), (x + reach, y + reach, z + reach)
            )
            share = fraction(ellipsoid_depth(window.axes(), (x, y, z), semi), 1.5 * brain.lattice.step)
            brain.white[where] *= 1 - np.float32(grey) * share


def _add_ventricles(brain: Brain, atrophy: Atrophy, rng: np.random.Generator) -> None:
    width = atrophy.ventricle_scale
    # The temporal horn opens where the hippocampus has gone (ex vacuo).
    temporal = width * (1 + 0.12 * max(0.0, -atrophy.hippocampus_z))
    for side in (-1.0, 1.0):
        shift = rng.normal(0, 0.8, 3)
        uneven = float(np.exp(rng.normal(0, 0.06)))
        for chain, scale in ((_BODY, width), (_OCCIPITAL_HORN, width), (_TEMPORAL_HORN, temporal)):
            for knots in _links(_placed(chain, side, shift, scale * uneven)):
                _fill_with_csf(brain, *_link_share(brain.lattice, knots))
    axis = ((0.0, -28.0, 2.0), (0.0, -6.0, 0.0))
    _fill_with_csf(brain, *_link_share(brain.lattice, ((axis[0], 1.5 * width), (axis[1], 1.5 * width))))
    fourth = 4.0 * float(np.sqrt(width))
    _fill_with_csf(
        brain, *_link_share(brain.lattice, (((0, -42, -24), fourth), ((0, -46, -36), 0.6 * fourth)))
    )


def _fill_with_csf(brain: Brain, share: Field, where: tuple[slice, slice, slice]) -> None:
    brain.brain[where] *= 1 - share
    np.maximum(brain.ventricles[where], share, out=brain.ventricles[where])


def _add_hippocampi(brain: Brain, atrophy: Atrophy, rng: np.random.Generator) -> None:
    """Empties the place a full hippocampus would take, then puts the remaining one into it."""
    radius = float(np.sqrt(hippocampus_volume_ratio(atrophy.hippocampus_z)))
    for side in (-1.0, 1.0):
        shift = rng.normal(0, 0.8, 3)
        uneven = float(np.exp(rng.normal(0, 0.015)))
        # What is lost becomes CSF above and lateral to it: temporal horn and choroid fissure.
        emptied = _placed(_HIPPOCAMPUS, side, shift + np.array([0.7 * side, 0, 0.7]), 0.97)
        for knots in _links(emptied):
            share, where = _link_share(brain.lattice, knots)
            brain.brain[where] *= 1 - share
        for knots in _links(_placed(_HIPPOCAMPUS, side, shift, radius * uneven)):
            share, where = _link_share(brain.lattice, knots)
            brain.brain[where] = np.maximum(brain.brain[where], share)
            brain.white[where] *= 1 - share
            brain.ventricles[where] *= 1 - share
            np.maximum(brain.hippocampi[where], share, out=brain.hippocampi[where])


def _placed(
    chain: tuple[Knot, ...], side: float, shift: Float32[np.ndarray, "3"], scale: float
) -> tuple[Knot, ...]:
    """A right-sided chain moved to its side, shifted and with scaled radii."""
    dx, dy, dz = (float(value) for value in shift)
    return tuple(((side * x + dx, y + dy, z + dz), radius * scale) for (x, y, z), radius in chain)


def _links(chain: tuple[Knot, ...]) -> list[tuple[Knot, Knot]]:
    return list(pairwise(chain))


def _link_share(lattice: Lattice, knots: tuple[Knot, Knot]) -> tuple[Field, tuple[slice, slice, slice]]:
    """Share of each voxel inside the capsule between two knots, and where those voxels are."""
    (start, start_radius), (stop, stop_radius) = knots
    reach = max(start_radius, stop_radius) + lattice.step
    ends = np.asarray((start, stop))
    low, high = ends.min(axis=0) - reach, ends.max(axis=0) + reach
    window, where = lattice.window((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    depth = tube_depth(window.axes(), (start, stop), (start_radius, stop_radius))
    return fraction(depth, lattice.step), where
