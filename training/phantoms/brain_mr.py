"""T1-weighted head MRI of a phantom brain, as scanners differ: contrast, coil, noise, scale, lattice and cropping.

Atrophy -> brain (folds, ventricles, hippocampi) + head -> signal in the head frame
        -> laid into a scanner by a random pose, sampled on a random lattice -> coil bias, Rician noise, integer scale
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8
from scipy.ndimage import affine_transform, find_objects, uniform_filter1d

from app.imaging.volume import Volume
from training.phantoms.brain_anatomy import Atrophy, Brain, grow_brain
from training.phantoms.head_tissue import head_signal
from training.phantoms.implicit import Lattice
from training.phantoms.mr_scanner import (
    DIRECTIONS,
    HEAD_HIGH,
    HEAD_LOW,
    MrAcquisition,
    index_from_world,
    lay_grid,
    measure,
    regular_volume,
)

HIPPOCAMPUS_LABEL: Final = 1
VENTRICLE_LABEL: Final = 2
HALF: Final = 0.5
STEP_MM: Final = 1.5
"""Lattice of the head frame; about the size of the scanners' voxels."""


@dataclass(frozen=True)
class BrainPhantom:
    """One phantom MRI.

    Attributes:
        volume: The image, int16 in an arbitrary unit.
        mask: On the image's voxels: 1 hippocampi, 2 ventricles, else 0.
        hippocampus_ml: Volume of both hippocampi before they were sampled.
    """

    volume: Volume
    mask: UInt8[np.ndarray, "I J K"]
    hippocampus_ml: float


def brain_mr(atrophy: Atrophy, acquisition: MrAcquisition, rng: np.random.Generator) -> BrainPhantom:
    """Makes one phantom MRI.

    Args:
        atrophy: What the image must show.
        acquisition: How it is shown.
        rng: Source of the anatomy and of the noise.
    """
    brain = grow_brain(atrophy, STEP_MM, rng)
    lattice, signal = _assemble(brain, atrophy, acquisition, rng)
    size = rng.normal(1.0, 0.025) + rng.normal(0, 0.012, 3)
    grid = lay_grid(acquisition, size)
    to_lattice = index_from_world(acquisition, size, lattice.origin, lattice.step) @ grid.affine
    thin = _slice_profile(signal, acquisition)
    clean = affine_transform(thin, to_lattice, output_shape=grid.shape, order=1, output=np.float32)
    to_brain = index_from_world(acquisition, size, brain.lattice.origin, STEP_MM) @ grid.affine
    voxels = measure(clean, acquisition, rng)
    return BrainPhantom(
        volume=regular_volume(voxels, grid),
        mask=_sample_mask(brain, to_brain, grid.shape),
        hippocampus_ml=brain.hippocampus_ml * float(np.prod(size)),
    )


def _assemble(
    brain: Brain, atrophy: Atrophy, acquisition: MrAcquisition, rng: np.random.Generator
) -> tuple[Lattice, Float32[np.ndarray, "x y z"]]:
    """Puts the brain into its head: lattice and signal (white matter 1)."""
    # The head's lattice contains the brain's: it starts a whole number of steps before it.
    before = [
        int(np.ceil((b - low) / STEP_MM)) for b, low in zip(brain.lattice.origin, HEAD_LOW, strict=True)
    ]
    x, y, z = (b - n * STEP_MM for b, n in zip(brain.lattice.origin, before, strict=True))
    lattice = Lattice.covering((x, y, z), HEAD_HIGH, STEP_MM)
    contrast = acquisition.contrast
    signal, hull = head_signal(lattice, contrast, 1.0 + 0.5 * atrophy.cortical_thinning, rng)
    where = tuple(slice(n, n + size) for n, size in zip(before, brain.lattice.shape, strict=True))
    tissue = np.float32(contrast.grey) + np.float32(1 - contrast.grey) * brain.white
    signal[where] += brain.brain * (tissue - signal[where])
    if acquisition.stripped:
        signal *= hull > 0
    elif acquisition.defaced:
        _deface(signal, lattice)
    return lattice, signal


def _deface(signal: Float32[np.ndarray, "x y z"], lattice: Lattice) -> None:
    """Blanks everything in front of a slanted plane through brow and chin."""
    _, y, z = lattice.axes()
    signal *= (y < 58 + 0.75 * (z + 22)) | (z > -12)  # noqa: PLR2004


def _sample_mask(
    brain: Brain, to_lattice: Float64[np.ndarray, "4 4"], shape: tuple[int, int, int]
) -> UInt8[np.ndarray, "I J K"]:
    """Labels at the scanner's voxels: of what lies at the voxel's centre for the greater part."""
    mask = np.zeros(shape, np.uint8)
    for label, share in ((VENTRICLE_LABEL, brain.ventricles), (HIPPOCAMPUS_LABEL, brain.hippocampi)):
        box = find_objects((share > 0).astype(np.uint8))[0]
        inside, start = _target_box(box, to_lattice, shape)
        view = mask[inside]
        shift = to_lattice[:3, :3] @ start + to_lattice[:3, 3]
        sampled = np.zeros(view.shape, np.float32)
        affine_transform(share, to_lattice[:3, :3], shift, output=sampled, order=1)
        view[sampled >= HALF] = label
    return mask


def _target_box(
    box: tuple[slice, ...], to_lattice: Float64[np.ndarray, "4 4"], shape: tuple[int, int, int]
) -> tuple[tuple[slice, ...], Int[np.ndarray, "3"]]:
    """The part of the scanner's array that a box of the head's lattice can fall into, and its first voxel."""
    corners = np.array(np.meshgrid(*[(part.start - 1, part.stop) for part in box])).reshape(3, -1)
    to_grid = np.linalg.inv(to_lattice)
    corners = to_grid[:3, :3] @ corners + to_grid[:3, 3:]
    start = np.clip(np.floor(corners.min(axis=1)).astype(int), 0, shape)
    stop = np.clip(np.ceil(corners.max(axis=1)).astype(int) + 1, start, shape)
    return tuple(slice(a, b) for a, b in zip(start, stop, strict=True)), start


def _slice_profile(
    signal: Float32[np.ndarray, "x y z"], acquisition: MrAcquisition
) -> Float32[np.ndarray, "x y z"]:
    """Averages over the slice thickness, along the head axis nearest to the slice normal."""
    width = round(acquisition.spacing_mm[2] / STEP_MM)
    if width <= 1:
        return signal
    axis = int(np.argmax(np.abs(DIRECTIONS[acquisition.axis_codes[2]])))
    return np.asarray(uniform_filter1d(signal, width, axis=axis), np.float32)
