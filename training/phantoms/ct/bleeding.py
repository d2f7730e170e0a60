"""A bleed on the voxels of its own box: where the blood is, how dense, and how much oedema surrounds it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from training.phantoms.ct.noise import Waves
from training.phantoms.ct.shapes import smallest
from training.phantoms.ct.slice_lattice import Box, SliceLattice
from training.phantoms.haemorrhage import BloodLook

Field = Float32[np.ndarray, "..."]
Centre = Float64[np.ndarray, "3"]
LOBES = (1.0, 0.45)
"""Weights of the coarse and the fine irregularity."""
STIFFNESS = 6.0
"""A lump that finds no room grows out of the tissue by its shortage divided by this."""
BISECTIONS = 40
MOTTLE_WAVELENGTH_MM = 12.0
SERUM_DROP_HU = 20.0


@dataclass(frozen=True)
class Lump:
    """An irregular body.

    Attributes:
        centre: World mm.
        radius_mm: Of a ball of about the same volume.
        matrix: [3, 3] turns and stretches offsets so that the smooth part of the body becomes a ball.
        ragged_mm: Amplitude of what is not smooth.
        waves: Coarse and fine shape of it.
    """

    centre: Centre
    radius_mm: float
    matrix: Float32[np.ndarray, "3 3"]
    ragged_mm: float
    waves: tuple[Waves, Waves]

    @classmethod
    def draw(cls, centre: Centre, radius_mm: float, rng: np.random.Generator) -> "Lump":
        """A body of random axes, direction and raggedness."""
        axes = np.exp(rng.normal(0, 0.2, 3))
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        return cls(
            centre=centre,
            radius_mm=radius_mm,
            matrix=(turn * (np.cbrt(axes.prod()) / axes)[:, None]).astype(np.float32),
            ragged_mm=float(rng.uniform(0.07, 0.24)) * radius_mm,
            waves=(Waves.draw(rng, 2.2 * radius_mm + 5), Waves.draw(rng, 0.9 * radius_mm + 4)),
        )


def confined(lump: Field, tissue: Field) -> Field:
    """The lump kept inside the tissue: pressed flat with round edges, and stopped hard where it would still leave.

    Args:
        lump: Depth below its surface, mm.
        tissue: Depth below the tissue's surface, mm.
    """
    return np.asarray(np.minimum(smallest(lump, tissue), np.float32(STIFFNESS) * tissue), np.float32)


def clot(
    lattice: SliceLattice, box: Box, depth: tuple[Field, Field], volume_ml: float, blur_mm: float
) -> tuple[Field, np.ndarray, Field]:
    """Cuts a lump so that its voxels have the asked volume.

    Args:
        lattice: Of the image.
        box: Of the arrays.
        depth: Of the lump at a lower and an upper height in the slices, mm, already kept inside the tissue.
        volume_ml: Wanted.
        blur_mm: Half the width of a sharp edge.

    Returns:
        Share of blood, the mask, depth below the surface in mm.
    """
    lower, upper = depth
    middle = np.float32(0.5) * (lower + upper)
    level = np.float32(level_of_volume(middle, lattice.voxel_ml()[box.k], volume_ml))
    middle -= level
    width = 2 * np.sqrt(np.square(upper - lower) + np.float32(blur_mm**2))
    return np.clip(middle / width + np.float32(0.5), 0, 1), middle >= 0, middle


def level_of_volume(
    depth: Float32[np.ndarray, "i j k"], voxel_ml: Float64[np.ndarray, " k"], volume_ml: float
) -> float:
    """The depth above which voxels add up to the volume: every bleed has the volume that was asked for.

    Args:
        depth: Any shape.
        voxel_ml: Volume of a voxel of each slice.
        volume_ml: Wanted; where the tissue is smaller than that, all of it.
    """
    low, high = 0.0, float(depth.max())
    low = min(float(np.median(depth)), low)
    for _ in range(BISECTIONS):
        level = 0.5 * (low + high)
        filled = float(np.count_nonzero(depth >= level, axis=(0, 1)) @ voxel_ml)
        low, high = (level, high) if filled > volume_ml else (low, level)
    return high


def ragged_depth(lattice: SliceLattice, box: Box, lump: Lump, lift_mm: float) -> Float32[np.ndarray, "i j k"]:
    """Depth below the surface of the lump at the box's voxels, lifted along the slices' normal, mm."""
    offset = lattice.offsets(box, lump.centre, lift_mm)
    u, v, w = (row[0] * offset.x + row[1] * offset.y + row[2] * offset.z for row in lump.matrix)
    depth = np.asarray(np.float32(lump.radius_mm) - np.sqrt(u * u + v * v + w * w), np.float32)
    for waves, weight in zip(lump.waves, LOBES, strict=True):
        depth += np.float32(weight * lump.ragged_mm) * lattice.noise(box, waves, lift_mm)
    return depth


def blood_hu(
    lattice: SliceLattice, box: Box, centre: Centre, look: BloodLook, rng: np.random.Generator
) -> Field:
    """Density of the clot at the box's voxels."""
    density = lattice.noise(box, Waves.draw(rng, MOTTLE_WAVELENGTH_MM))
    density *= np.float32(look.mottle_hu)
    density += np.float32(look.hu)
    if look.layered:
        # The patient lies on the back: serum floats to the front.
        forward = lattice.offsets(box, centre).y - np.float32(rng.uniform(-4, 6))
        with np.errstate(over="ignore"):  # far behind the level exp is infinite and the share exactly 0
            density -= np.float32(SERUM_DROP_HU) / (1 + np.exp(-forward))
    return density


def oedema_hu(depth: Field, look: BloodLook) -> Field:
    """Drop of density around the clot, fading outwards."""
    return np.asarray(
        np.float32(look.oedema_hu) * np.exp(np.minimum(depth, 0) / np.float32(0.7 * look.oedema_mm))
    )
