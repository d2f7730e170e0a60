"""A bleed of known place and volume in a real head CT: what a network trained on phantoms is tried on."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter, label

from app.imaging.volume import Volume
from training.phantoms.ct.bleeding import Lump, blood_hu, clot, confined, oedema_hu, ragged_depth
from training.phantoms.ct.painting import PARENCHYMAL
from training.phantoms.ct.slice_lattice import Box, SliceLattice
from training.phantoms.haemorrhage import REACH_MM, REACH_RADII, BloodLook, Haemorrhage

Field = Float32[np.ndarray, "i j k"]
BRAIN_HU = (-15.0, 95.0)
"""Brain and fluid after smoothing: above air and fat, below bone."""
SMOOTHING_MM = 0.8
FROM_BONE_MM = 1.5
NECK_MM = 3.0
"""Gaps narrower than twice this do not join the brain to what lies outside the skull."""


def plant_haemorrhage(
    volume: Volume, bleed: Haemorrhage, centre_mm: tuple[float, float, float], rng: np.random.Generator
) -> tuple[Volume, UInt8[np.ndarray, "I J K"]]:
    """Plants a bleed; the image's own noise and partial volume stay. Ventricles are unknown here and stay free.

    Args:
        volume: A head CT in HU, tilted or uneven as it may be.
        bleed: Its volume is exact where the brain around the centre has room for it.
        centre_mm: World position (RAS) inside the brain.
        rng: Source of shape and density.

    Returns:
        The volume with the bleed, and its mask.

    Raises:
        ValueError: The centre is not in brain.
    """
    lattice = SliceLattice(volume.step_i, volume.step_j, volume.slice_origins, _shape(volume))
    centre = np.asarray(centre_mm, np.float64)
    box = lattice.box(centre, REACH_RADII * bleed.radius_mm + REACH_MM)
    here = (box.i, box.j, box.k)
    hu = volume.voxels[here].astype(np.float32)
    spacing = _spacing(lattice)
    tissue = _tissue_depth(hu, spacing, _nearest(lattice, box, centre))
    look, lump = BloodLook.draw(rng), Lump.draw(centre, bleed.radius_mm, rng)
    lower, upper = (
        confined(ragged_depth(lattice, box, lump, lift), tissue) for lift in (-spacing[2] / 4, spacing[2] / 4)
    )
    share, inside, below = clot(lattice, box, (lower, upper), bleed.volume_ml, 0.6 * spacing[0])
    grain = hu - gaussian_filter(hu, (1.5, 1.5, 0))
    blood = blood_hu(lattice, box, centre, look, rng) + grain
    hu -= np.where(tissue > 0, oedema_hu(below, look), 0) * (1 - share)
    hu += share * (blood - hu)
    voxels, mask = volume.voxels.copy(), np.zeros(volume.voxels.shape, np.uint8)
    voxels[here] = np.rint(hu).astype(voxels.dtype)
    mask[here] = np.where(inside, PARENCHYMAL, 0)
    return replace(volume, voxels=voxels), mask


def _shape(volume: Volume) -> tuple[int, int, int]:
    i, j, k = volume.voxels.shape
    return i, j, k


def _spacing(lattice: SliceLattice) -> tuple[float, float, float]:
    """Of pixels and, in the middle of the stack, of slices; mm."""
    gap = float(np.median(lattice.gaps_mm()))
    return float(np.linalg.norm(lattice.step_i)), float(np.linalg.norm(lattice.step_j)), gap


def _nearest(lattice: SliceLattice, box: Box, centre: np.ndarray) -> tuple[int, int, int]:
    """The box's voxel nearest to the centre."""
    offset = lattice.offsets(box, centre)
    i, j, k = np.unravel_index(int(np.argmin(sum(axis * axis for axis in offset))), offset.x.shape)
    return int(i), int(j), int(k)


def _tissue_depth(hu: Field, spacing: tuple[float, float, float], centre: tuple[int, int, int]) -> Field:
    """Depth below the surface of the brain around the centre, mm; negative outside."""
    smooth = gaussian_filter(hu, (SMOOTHING_MM / spacing[0], SMOOTHING_MM / spacing[1], 0))
    # Calcifications inside the brain are holes; the skull is none, it reaches the box's border.
    brain = binary_fill_holes((smooth > BRAIN_HU[0]) & (smooth < BRAIN_HU[1]))
    depth = np.asarray(distance_transform_edt(brain, sampling=spacing), np.float32)
    parts, _ = label(depth > NECK_MM)
    if parts[centre] == 0:
        raise ValueError("Expected a centre inside the brain, found bone, air or the brain's edge. Move it.")
    return np.where(
        _grown(parts == parts[centre], spacing), depth - np.float32(FROM_BONE_MM), np.float32(-50)
    )


def _grown(part: Bool[np.ndarray, "i j k"], spacing: tuple[float, float, float]) -> Bool[np.ndarray, "i j k"]:
    """The part with the rim that was taken off to cut its necks."""
    return np.asarray(distance_transform_edt(~part, sampling=spacing) <= NECK_MM)
