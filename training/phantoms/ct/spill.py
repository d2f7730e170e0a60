"""The bleed inside a phantom: kept in the tissue of its side, grown to its volume, spilt into the ventricles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.anatomy import Anatomy
from training.phantoms.ct.bleeding import Lump, blood_hu, clot, confined, oedema_hu, ragged_depth
from training.phantoms.ct.raster import Raster
from training.phantoms.ct.shapes import Point
from training.phantoms.ct.slice_lattice import Box
from training.phantoms.haemorrhage import REACH_MM, REACH_RADII, BloodLook, Haemorrhage

Field = Float32[np.ndarray, "..."]


@dataclass(frozen=True)
class Spill:
    """Blood of a phantom.

    Attributes:
        box: Where the clot's arrays lie, voxels of the raster's window.
        share: [i, j, k] share of blood in each voxel of the box.
        hu: Density of the clot.
        oedema_hu: Drop of the tissue around.
        inside: The box's part of the mask.
        ventricular: [K, A, B] depth of the part of the ventricles that is filled, in edge widths; None if none is.
        ventricular_hu: Density of that blood.
    """

    box: Box
    share: Field
    hu: Field
    oedema_hu: Field
    inside: np.ndarray
    ventricular: Field | None
    ventricular_hu: float


def spill(
    bleed: Haemorrhage, centre: Point, anatomy: Anatomy, raster: Raster, rng: np.random.Generator
) -> Spill:
    """Places the bleed of a phantom on its voxels."""
    look = BloodLook.draw(rng)
    lattice, middle = raster.lattice, raster.world(centre)
    box = lattice.box(middle, REACH_RADII * bleed.radius_mm + REACH_MM)
    quarter = raster.thickness_mm / 4
    lump = Lump.draw(middle, bleed.radius_mm, rng)
    lower, upper = (ragged_depth(lattice, box, lump, lift) for lift in (-quarter, quarter))
    tissue = _tissue_depth(bleed, anatomy, raster.noise(rng, 35))
    depth = (
        confined(lower, _to_box(tissue[:, 0], box, raster)),
        confined(upper, _to_box(tissue[:, 1], box, raster)),
    )
    share, inside, below = clot(lattice, box, depth, bleed.volume_ml, raster.blur_mm)
    return Spill(
        box=box,
        share=share,
        hu=blood_hu(lattice, box, middle, look, rng),
        oedema_hu=oedema_hu(below, look),
        inside=inside,
        ventricular=_ventricular(anatomy, centre, raster, rng) if bleed.intraventricular else None,
        ventricular_hu=look.hu - float(rng.uniform(0, 12)),
    )


def _tissue_depth(bleed: Haemorrhage, anatomy: Anatomy, uneven: Field) -> Field:
    """Depth inside the brain's tissue on the bleed's side, out of the ventricles, mm; [K, 2, A, B]."""
    brain = anatomy.brain
    limit = brain.tent
    if bleed.location == "infratentorial":
        limit = -brain.tent
    else:
        limit = np.minimum(limit, np.float32(bleed.sign) * brain.midline + 2 * uneven)
    return np.asarray(np.minimum(np.minimum(limit - 1, brain.surface - 1), -brain.ventricles), np.float32)


def _to_box(nodes: Float32[np.ndarray, "K A B"], box: Box, raster: Raster) -> Field:
    """A smooth field at the box's voxels, [i, j, k]."""
    rows, columns = raster.to_rows[box.i], raster.to_columns[:, box.j]
    return np.stack([rows @ plane @ columns for plane in nodes[box.k]], axis=2)


def _ventricular(anatomy: Anatomy, centre: Point, raster: Raster, rng: np.random.Generator) -> Field:
    """Part of the ventricles that is filled: near the bleed, and where blood sinks to in a patient on the back."""
    p = raster.points
    x, y, z = centre
    distance = np.sqrt(np.square(p.x - x) + np.square(p.y - y) + np.square(p.z - z))
    score = -0.35 * distance - float(rng.uniform(0, 0.5)) * p.y + 6 * raster.noise(rng, 30)
    ventricles = anatomy.brain.ventricles
    reached = score[ventricles > 0]
    level = float(np.quantile(reached, 1 - rng.uniform(0.15, 0.95))) if reached.size else 0.0
    return raster.edge(np.minimum(ventricles, score - level).astype(np.float32))
