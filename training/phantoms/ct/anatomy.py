"""One head at the nodes of a raster: traits drawn, shapes bent, the brain pushed aside by its bleed."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.artefacts import noise_scale, shading
from training.phantoms.ct.brain import SULCUS_WAVELENGTH_MM, BrainFields, brain_fields
from training.phantoms.ct.lesions import Blob, draw_blobs, draw_infarct
from training.phantoms.ct.noise import Waves
from training.phantoms.ct.raster import Raster
from training.phantoms.ct.shapes import Point, Points, Region
from training.phantoms.ct.skull import SkullFields, skull_fields
from training.phantoms.ct.traits import BrainTraits, SkullTraits
from training.phantoms.haemorrhage import Haemorrhage, draw_centre, push

Field = Float32[np.ndarray, "..."]
MEAN_SIZE = 0.93
"""The MNI frame is larger than life: its cranial cavity holds 1.9 l (Lancaster 2007), that of adults about 1.5 l."""
SIZE_SPREAD = 0.035
BEND_MM = 1.8
BEND_WAVELENGTH_MM = 140.0
MARGIN_MM = 9.0
"""Nodes this far outside the inner table still hold the brain: interpolation looks two nodes around."""
OUTSIDE_MM = -30.0


@dataclass(frozen=True)
class Anatomy:
    """A head at the nodes.

    Attributes:
        skull: Bone, air and soft tissue.
        brain: What lies inside the inner table.
        skull_traits: Densities and sizes.
        brain_traits: Densities and sizes.
        shade_hu: Additive change of density inside the skull: hard rays, old infarcts, white matter disease, [K, A, B].
        infarct: Weight 0 to 1 of an old infarct, [K, A, B].
        noise_scale: Noise relative to mid-brain, [K, A, B].
        blobs: Calcifications and dense vessels.
        centre: Of the bleed in the head frame, mm.
    """

    skull: SkullFields
    brain: BrainFields
    skull_traits: SkullTraits
    brain_traits: BrainTraits
    shade_hu: Field
    infarct: Field
    noise_scale: Field
    blobs: tuple[Blob, ...]
    centre: Point | None


def draw_anatomy(raster: Raster, bleed: Haemorrhage | None, age: float, rng: np.random.Generator) -> Anatomy:
    """A head of the given age, moved by the bleed."""
    p = _bent(raster, rng)
    skull_traits, brain_traits = SkullTraits.draw(rng), BrainTraits.draw(age, rng)
    skull = skull_fields(p, skull_traits, lambda region: raster.noise_in(region, rng))
    region = Region.where(skull.cavity > -MARGIN_MM)
    inside, cavity = region.points(p), region.take(skull.cavity)
    start = draw_centre(bleed, rng) if bleed else None
    moved = push(inside, bleed, start, cavity)
    noise = raster.noise_in(region, rng)
    brain = brain_fields(moved, cavity, brain_traits, noise, Waves.draw(rng, SULCUS_WAVELENGTH_MM))
    shade = shading(inside, cavity, noise(9), rng) + 1.2 * noise(30)
    shade -= np.float32(brain_traits.leukoaraiosis_hu) * brain.periventricular
    place = _Finder(region.points(raster.points), moved.before)
    return Anatomy(
        skull=skull,
        brain=_spread_out(brain, region),
        skull_traits=skull_traits,
        brain_traits=brain_traits,
        shade_hu=raster.middle(region.put(shade, 0.0)),
        infarct=raster.middle(region.put(draw_infarct(moved.before, age, rng), 0.0)),
        noise_scale=noise_scale(p, skull.cavity, raster),
        blobs=tuple(replace(b, centre=place(b.centre)) for b in draw_blobs(age, rng)),
        centre=place(start) if start else None,
    )


@dataclass(frozen=True)
class _Finder:
    """Finds where in this head a position of the average head lies.

    Attributes:
        here: Nodes in the head frame.
        average: The same nodes in the average head.
    """

    here: Points
    average: Points

    def __call__(self, position: Point) -> Point:
        """Head frame mm: the node that comes nearest, and the rest of the way as if nothing were bent."""
        distance2 = sum(np.square(axis - c) for axis, c in zip(self.average, position, strict=True))
        nearest = int(np.argmin(distance2))
        x, y, z = (
            float(here[nearest] + c - average[nearest])
            for here, average, c in zip(self.here, self.average, position, strict=True)
        )
        return x, y, z


def _bent(raster: Raster, rng: np.random.Generator) -> Points:
    """Positions in the average head: every head has its own size and is smoothly crooked."""
    sizes = MEAN_SIZE * np.exp(rng.normal(0, SIZE_SPREAD, 3))
    axes = [
        axis * np.float32(1 / size) + np.float32(BEND_MM) * raster.noise(rng, BEND_WAVELENGTH_MM)
        for axis, size in zip(raster.points, sizes, strict=True)
    ]
    return Points(*axes)


def _spread_out(brain: BrainFields, region: Region) -> BrainFields:
    """The fields of a part of the nodes, on all nodes."""
    return BrainFields(**{f.name: region.put(getattr(brain, f.name), OUTSIDE_MM) for f in fields(brain)})
