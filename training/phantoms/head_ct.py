"""A head CT that never was: anatomy at coarse nodes, edges at pixels, a bleed of known place and volume, artefacts.

Acquisition -> Raster (nodes in the head frame) -> skull, brain, bleed as depths -> slices of HU -> noise -> int16
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16, UInt8

from app.imaging.volume import Volume
from training.phantoms.ct.anatomy import draw_anatomy
from training.phantoms.ct.artefacts import holder_hu, quantum_noise
from training.phantoms.ct.painting import AIR_HU, PARENCHYMAL, Painter
from training.phantoms.ct.raster import Raster
from training.phantoms.ct.spill import spill
from training.phantoms.haemorrhage import Haemorrhage
from training.phantoms.scanner import Acquisition, volume_of

LOWEST_HU, HIGHEST_HU = -1024, 3071
"""What twelve bits with an intercept of -1024 hold."""
AIR_NOISE = 0.45
"""Noise in air relative to mid-brain."""


@dataclass(frozen=True)
class Phantom:
    """An image with its truth.

    Attributes:
        volume: int16 HU with true slice positions.
        mask: [I, J, K] on the same lattice: 0 no blood, 1 in the tissue, 2 in the ventricles.
        truth_volume_ml: Of the blood in the tissue, as the mask holds it.
    """

    volume: Volume
    mask: UInt8[np.ndarray, "I J K"]
    truth_volume_ml: float


def head_ct(
    bleed: Haemorrhage | None, age: float, acquisition: Acquisition, rng: np.random.Generator
) -> Phantom:
    """A head with or without a bleed, seen by a scanner.

    Args:
        bleed: What to plant; None for a head without blood.
        age: Years; decides the width of the fluid spaces and how much is calcified.
        acquisition: Protocol and position.
        rng: The only source of chance: the same state gives the same bytes.
    """
    raster = Raster.of(acquisition)
    anatomy = draw_anatomy(raster, bleed, age, rng)
    blood = spill(bleed, anatomy.centre, anatomy, raster, rng) if bleed and anatomy.centre else None
    voxels, mask = _painted(Painter(anatomy, raster, blood), acquisition, raster, rng)
    parenchymal = np.count_nonzero(mask == PARENCHYMAL, axis=(0, 1))
    truth_ml = float(parenchymal @ raster.lattice.voxel_ml())
    return Phantom(volume_of(acquisition, voxels), mask, truth_ml)


def _painted(
    painter: Painter, acquisition: Acquisition, raster: Raster, rng: np.random.Generator
) -> tuple[Int16[np.ndarray, "I J K"], UInt8[np.ndarray, "I J K"]]:
    """All slices with holder and noise, and the mask."""
    size, count = acquisition.matrix, len(acquisition.slice_centres_mm)
    outside = holder_hu(acquisition, rng)
    voxels = np.empty((count, size, size), np.int16)
    mask = np.zeros((count, size, size), np.uint8)
    for k in range(count):
        hu = np.full((size, size), AIR_HU, np.float32)
        scale = np.full((size, size), AIR_NOISE, np.float32)
        hu[raster.window], mask[k][raster.window] = painter.slice(k)
        scale[raster.window] = painter.noise_scale(k)
        hu += outside
        scale *= quantum_noise(acquisition, hu.shape, rng)
        scale *= np.float32(acquisition.noise_hu)
        hu += scale
        np.clip(hu, LOWEST_HU, HIGHEST_HU, out=hu)
        voxels[k] = np.rint(hu, out=hu)
    return np.ascontiguousarray(voxels.transpose(1, 2, 0)), np.ascontiguousarray(mask.transpose(1, 2, 0))
