"""The head around the brain: skull, scalp, face, eyes, airways and neck, as signal on a lattice."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from training.phantoms.brain_surface import hull_depth
from training.phantoms.implicit import (
    Field,
    Lattice,
    Point,
    ellipsoid_depth,
    fraction,
    interpolate,
    smooth_noise,
    tube_depth,
)

COARSE_MM: Final = 3.2
PROFILE_STEP_MM: Final = 0.1
PROFILE_REACH_MM: Final = 60.0
_EYES: Final[tuple[Point, ...]] = ((-32.0, 62.0, -34.0), (32.0, 62.0, -34.0))
_AIR: Final[tuple[tuple[Point, Point], ...]] = (
    ((0.0, 52.0, -58.0), (11.0, 32.0, 18.0)),  # nasal cavity
    ((-27.0, 48.0, -62.0), (12.0, 15.0, 15.0)),  # maxillary sinuses
    ((27.0, 48.0, -62.0), (12.0, 15.0, 15.0)),
    ((0.0, 8.0, -36.0), (10.0, 10.0, 7.0)),  # sphenoid sinus
    ((0.0, 74.0, -14.0), (16.0, 5.0, 10.0)),  # frontal sinus
    ((0.0, 6.0, -95.0), (12.0, 8.0, 40.0)),  # pharynx
    ((-55.0, -34.0, -38.0), (9.0, 12.0, 12.0)),  # mastoids
    ((55.0, -34.0, -38.0), (9.0, 12.0, 12.0)),
)


@dataclass(frozen=True)
class Contrast:
    """Signal of each tissue in a T1-weighted image; white matter is 1.

    Attributes:
        grey: Cortex.
        csf: Fluid.
        bone: Cortical bone and air cells.
        marrow: Between the tables of the skull.
        fat: Under the skin and behind the eyes; low where the sequence excites water only.
        muscle: Muscle and the soft parts of the face.
    """

    grey: float
    csf: float
    bone: float
    marrow: float
    fat: float
    muscle: float


def head_signal(
    lattice: Lattice, contrast: Contrast, csf_mm: float, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "x y z"], Float32[np.ndarray, "x y z"]]:
    """Signal of the head with the brain's hull filled by CSF, and the depth below that hull in mm.

    Args:
        lattice: Where to evaluate.
        contrast: Signal of the tissues.
        csf_mm: Distance from the brain's hull to the skull.
        rng: Source of the head's shape.
    """
    coarse = Lattice.covering(lattice.origin, _high(lattice), COARSE_MM)
    axes = coarse.axes()
    hull = hull_depth(axes)
    soft = hull + np.float32(0.7) * smooth_noise(coarse, 70.0, rng)
    skin = np.maximum(soft + np.float32(rng.uniform(12, 16)), _face_and_neck(axes, rng))
    hull, soft, skin = (interpolate(field, coarse, lattice) for field in (hull, soft, skin))
    signal = _profile(contrast, csf_mm, rng)[_profile_index(np.where(hull > -csf_mm, hull, soft))]
    _add_face(signal, lattice, contrast, rng)
    return signal * fraction(skin, lattice.step), hull


def _high(lattice: Lattice) -> Point:
    x, y, z = (start + (n - 1) * lattice.step for start, n in zip(lattice.origin, lattice.shape, strict=True))
    return x, y, z


def _face_and_neck(axes: tuple[Field, Field, Field], rng: np.random.Generator) -> Field:
    """Depth below the skin of what hangs from the skull."""
    face = ellipsoid_depth(axes, (0, 30, -58), (float(rng.uniform(58, 66)), 58, 66))
    nose = tube_depth(axes, ((0, 82, -38), (0, 96, -62)), (8.0, 13.0))
    stout = float(rng.uniform(48, 62))
    neck = tube_depth(axes, ((0, -28, -60), (0, -36, -200)), (62.0, stout))
    return np.asarray(np.maximum.reduce([face, nose, neck]))


def _profile(contrast: Contrast, csf_mm: float, rng: np.random.Generator) -> Float32[np.ndarray, " n"]:
    """Signal by depth below the brain's hull, from the inside outwards: CSF, skull in three layers, fat, muscle."""
    table, diploe, fat = rng.uniform(1.2, 2.2), rng.uniform(1.5, 4.0), rng.uniform(3.0, 6.0)
    ends = np.cumsum([csf_mm, table, diploe, table, 1.5, fat])
    signals = np.array(
        [
            contrast.csf,
            contrast.bone,
            contrast.marrow,
            contrast.bone,
            contrast.muscle,
            contrast.fat,
            contrast.muscle,
        ]
    )
    outward = np.arange(0, PROFILE_REACH_MM, PROFILE_STEP_MM)
    profile = signals[np.searchsorted(ends, outward, side="right")]
    # Tissue ends within a voxel: an edge of about one millimetre.
    edge = np.ones(9) / 9
    return np.convolve(np.pad(profile, 4, mode="edge"), edge, mode="valid").astype(np.float32)


def _profile_index(depth: Field) -> Field:
    index = np.clip(depth * np.float32(-1 / PROFILE_STEP_MM), 0, PROFILE_REACH_MM / PROFILE_STEP_MM - 1)
    return index.astype(np.int16)


def _add_face(signal: Field, lattice: Lattice, contrast: Contrast, rng: np.random.Generator) -> None:
    """Eyes in their fat, and air in nose, sinuses and throat."""
    for x, y, z in _EYES:
        _paint(signal, lattice, ((x, y - 10, z), (17.0, 22.0, 15.0)), contrast.fat)
        _paint(signal, lattice, ((x, y, z), (12.0, 12.0, 12.0)), contrast.csf)
    for centre, semi in _AIR:
        scale = float(rng.uniform(0.75, 1.15))
        _paint(signal, lattice, (centre, (semi[0] * scale, semi[1] * scale, semi[2] * scale)), 0.0)


def _paint(signal: Field, lattice: Lattice, shape: tuple[Point, Point], value: float) -> None:
    centre, semi = shape
    low = (centre[0] - semi[0], centre[1] - semi[1], centre[2] - semi[2])
    high = (centre[0] + semi[0], centre[1] + semi[1], centre[2] + semi[2])
    window, where = lattice.window(low, high)
    share = fraction(ellipsoid_depth(window.axes(), centre, semi), 2 * lattice.step)
    signal[where] += share * (np.float32(value) - signal[where])
