"""From the places of slices to a stack: order, tilt, gaps, and the regular grid on which results are returned.

All in RAS millimetres. Depth is the projection of a slice's origin on the slice normal; nothing else orders slices.

Rules, and what each is for:

- Regular: every origin within `EVEN_MM` of an even, upright line. The grid is the stored lattice.
- Tilt: origins move in-plane along a straight line as they move in depth (gantry tilt). Finding with the angle between
  normal and stacking direction. Sampling uses the true places, so nothing is resampled twice. Steeper than
  `STEEPEST_DEGREES` is no head: gantries tilt by 30 degrees.
- Displaced: single slices lie beside that line, by no more than `STRAIGHT_MM`. Finding with the greatest distance; a drift
  no longer than that is then theirs, not a tilt.
- Uneven gaps: protocols put thin slices at the skull base. Finding with the least and greatest gap.
- Two slices closer than `EVEN_MM` are two images of one place.
- A hole: a gap of more than `HOLE_FACTOR` times what is usual on either side of it (median of three gaps), and wider than
  `BRIDGE_MM`. One missing slice doubles a gap; blocks of 4 and 7 mm that meet do not. Narrower holes than `BRIDGE_MM` are
  bridged: interpolation over 3 mm is finer than an ordinary 5 mm protocol.
- Anything else that wobbles by more than `STRAIGHT_MM` is no volume.

The corrected grid keeps the in-plane axes and spacing, stacks along the normal with the median gap, and is extended
in-plane so that it covers every slice of a tilted stack. It may hold `GROWTH` times the voxels sent, no more: a few
positions must not ask for gigabytes.
"""

from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.errors import IrregularGeometryError, MissingSlicesError
from app.imaging.volume import Finding, Grid

SPACING_MM: Final = (0.01, 50.0)
"""No head is sampled finer or coarser: outside lies a wrong unit."""
FARTHEST_MM: Final = 1e5
"""A hundred metres: beyond lies no scanner, and the arithmetic of places would lose its digits."""
EVEN_MM: Final = 0.1
"""A tenth of a millimetre: rounding of positions in real files, and smaller than any voxel."""
STRAIGHT_MM: Final = 1.0
STEEPEST_DEGREES: Final = 45.0
HOLE_FACTOR: Final = 1.9
"""A missing slice makes 2.0; the rest is for rounding."""
BRIDGE_MM: Final = 3.0
SAME_GAP_MM: Final = 1e-3
"""What is rounding in a gap: of slices every 1.5 mm, one that is missing leaves a gap of just `BRIDGE_MM`."""
NEIGHBOURS: Final = 3
GROWTH: Final = 8
"""Slices of 1 and 8 mm, half of each, make four and a half; a tilt of 30 degrees doubles that at most."""


@dataclass(frozen=True)
class Stack:
    """Slices in order, as a volume needs them.

    Attributes:
        step_i: RAS mm from a column of pixels to the next.
        step_j: RAS mm from a row of pixels to the next.
        slice_origins: [K, 3] RAS mm, ordered along the normal.
        grid: The patient's grid.
        findings: `gantry-tilt-corrected`, `displaced-slices-resampled`, `uneven-slice-gaps-resampled`.
    """

    step_i: Float64[np.ndarray, "3"]
    step_j: Float64[np.ndarray, "3"]
    slice_origins: Float64[np.ndarray, "K 3"]
    grid: Grid
    findings: tuple[Finding, ...]


def stack_slices(
    step_i: Float64[np.ndarray, "3"],
    step_j: Float64[np.ndarray, "3"],
    origins: Float64[np.ndarray, "K 3"],
    in_plane: tuple[int, int],
) -> Stack:
    """Judges ordered slices and finds the grid.

    Args:
        step_i: In-plane step, perpendicular to `step_j`.
        step_j: In-plane step.
        origins: One per slice, ordered along `normal_of(step_i, step_j)`, no two at one depth.
        in_plane: (I, J) pixels.

    Raises:
        MissingSlicesError: A hole too wide to bridge.
        IrregularGeometryError: Origins that are not on one line, too close, or stacked too steeply.
    """
    normal = normal_of(step_i, step_j)
    depths = origins @ normal
    gaps = np.diff(depths)
    _check_distinct(gaps)
    _check_holes(gaps)
    drift, off_mm = _drift(origins, normal)
    shape = (*in_plane, len(origins))
    even = np.abs(depths - np.linspace(depths[0], depths[-1], len(depths))).max() <= EVEN_MM
    upright = np.linalg.norm(drift - drift[0], axis=1).max() <= EVEN_MM
    if even and upright:
        step_k = (origins[-1] - origins[0]) / (len(origins) - 1)
        return Stack(step_i, step_j, origins, Grid(shape, _affine(step_i, step_j, step_k, origins[0])), ())
    sideways = () if upright else (*_tilt(drift, depths, off_mm), *_displaced(off_mm))
    findings = (*sideways, *(() if even else _uneven(gaps)))
    return Stack(step_i, step_j, origins, _corrected(step_i, step_j, origins, in_plane), findings)


def normal_of(step_i: Float64[np.ndarray, "3"], step_j: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Unit normal of the slices."""
    normal = np.cross(step_i, step_j)
    return np.asarray(normal / np.linalg.norm(normal))


def _check_distinct(gaps: Float64[np.ndarray, " g"]) -> None:
    """Refuses two slices at one place but for rounding."""
    if gaps.min() < EVEN_MM:
        raise IrregularGeometryError(
            f"Expected slices at least {EVEN_MM} mm apart, found two {gaps.min():.2f} mm apart. Send one acquisition."
        )


def _check_holes(gaps: Float64[np.ndarray, " g"]) -> None:
    """Refuses a gap that is too wide for what is usual on either side of it."""
    plain = gaps.tolist()  # numpy takes fifty times as long for the median of three
    for index, gap in enumerate(plain):
        sides = [plain[max(index - NEIGHBOURS, 0) : index], plain[index + 1 : index + 1 + NEIGHBOURS]]
        usual = max(median(side) for side in sides if side)
        if gap > max(HOLE_FACTOR * usual, BRIDGE_MM) + SAME_GAP_MM:
            raise MissingSlicesError(
                f"Expected gaps of about {usual:.2f} mm, found one of {gap:.2f} mm between slices {index + 1} and "
                f"{index + 2} of {len(gaps) + 1}. Send all slices of the series."
            )


def _drift(
    origins: Float64[np.ndarray, "K 3"], normal: Float64[np.ndarray, "3"]
) -> tuple[Float64[np.ndarray, "K 3"], float]:
    """In-plane part of the origins, and the greatest distance (mm) from their line; refuses one far beside it."""
    depths = origins @ normal
    drift = origins - depths[:, None] * normal
    share = (depths - depths[0]) / (depths[-1] - depths[0])
    line = drift[0] + share[:, None] * (drift[-1] - drift[0])
    off = float(np.linalg.norm(drift - line, axis=1).max())
    if off > STRAIGHT_MM:
        raise IrregularGeometryError(
            f"Expected slices stacked along one line, found one {off:.1f} mm beside it. Send one acquisition, unedited."
        )
    return np.asarray(drift), off


def _tilt(
    drift: Float64[np.ndarray, "K 3"], depths: Float64[np.ndarray, " K"], off_mm: float
) -> tuple[Finding, ...]:
    """The finding with the angle; refuses what no gantry does."""
    length = float(np.linalg.norm(drift[-1] - drift[0]))
    if off_mm > EVEN_MM and length <= STRAIGHT_MM:
        return ()
    degrees = float(np.degrees(np.arctan2(length, depths[-1] - depths[0])))
    if degrees > STEEPEST_DEGREES:
        raise IrregularGeometryError(
            f"Expected slices tilted by at most {STEEPEST_DEGREES:.0f} degrees against their stack, found "
            f"{degrees:.1f}. Send one acquisition of the head."
        )
    return (Finding("gantry-tilt-corrected", f"{degrees:.1f} degrees"),)


def _displaced(off_mm: float) -> tuple[Finding, ...]:
    if off_mm <= EVEN_MM:
        return ()
    return (
        Finding("displaced-slices-resampled", f"slices lie up to {off_mm:.2f} mm beside a straight stack"),
    )


def _uneven(gaps: Float64[np.ndarray, " g"]) -> tuple[Finding, ...]:
    detail = f"gaps between slices from {gaps.min():.2f} to {gaps.max():.2f} mm"
    return (Finding("uneven-slice-gaps-resampled", detail),)


def _corrected(
    step_i: Float64[np.ndarray, "3"],
    step_j: Float64[np.ndarray, "3"],
    origins: Float64[np.ndarray, "K 3"],
    in_plane: tuple[int, int],
) -> Grid:
    """The upright, even lattice that covers the stack."""
    normal = normal_of(step_i, step_j)
    depths = origins @ normal
    gap = float(np.median(np.diff(depths)))
    slices = int(np.ceil((depths[-1] - depths[0]) / gap - EVEN_MM)) + 1
    first = origins[0]
    sizes = []
    for step, size in zip((step_i, step_j), in_plane, strict=True):
        offsets = (origins - origins[0]) @ step / (step @ step)
        low = int(np.floor(offsets.min() + EVEN_MM))
        high = int(np.ceil(offsets.max() - EVEN_MM))
        first = first + low * step
        sizes.append(size + high - low)
    _check_growth(sizes[0] * sizes[1] * slices, in_plane[0] * in_plane[1] * len(origins))
    return Grid((sizes[0], sizes[1], slices), _affine(step_i, step_j, gap * normal, first))


def _check_growth(corrected: int, stored: int) -> None:
    if corrected > GROWTH * stored:
        raise IrregularGeometryError(
            f"Expected slices that an even grid of at most {GROWTH} times their {stored} voxels can cover, found that "
            f"{corrected} are needed. Send one acquisition with even gaps."
        )


def _affine(
    step_i: Float64[np.ndarray, "3"],
    step_j: Float64[np.ndarray, "3"],
    step_k: Float64[np.ndarray, "3"],
    origin: Float64[np.ndarray, "3"],
) -> Float64[np.ndarray, "4 4"]:
    affine = np.eye(4)
    affine[:3] = np.stack([step_i, step_j, step_k, origin], axis=1)
    return affine
