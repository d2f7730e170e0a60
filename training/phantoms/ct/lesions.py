"""What a bleed is not: calcifications, dense vessels, old infarcts. Distractors on purpose."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.noise import Waves
from training.phantoms.ct.shapes import Point, Points, oval

Field = Float32[np.ndarray, "..."]


@dataclass(frozen=True)
class Blob:
    """A small dense body.

    Attributes:
        centre: Head frame, mm.
        semi: Semi-axes, mm.
        hu: Density of its core.
    """

    centre: Point
    semi: Point
    hu: float


@dataclass(frozen=True)
class BlobKind:
    """A habit of calcifying.

    Attributes:
        centre: Head frame, mm, on the right side.
        semi: Semi-axes of the largest, mm.
        hu: Range of its density.
        paired: On both sides.
        chance: Share of heads of middle age that have it; rises with age.
    """

    centre: Point
    semi: Point
    hu: tuple[float, float]
    paired: bool
    chance: float


KINDS = (
    BlobKind((24, -46, 13), (4.5, 8, 4), (90, 420), paired=True, chance=0.75),  # choroid plexus
    BlobKind((0, -32, 3), (3.5, 4, 3.5), (90, 350), paired=False, chance=0.75),  # pineal
    BlobKind((20, 2, 0), (4, 8, 4), (60, 180), paired=True, chance=0.2),  # pallidum
    BlobKind((0, 25, 62), (1.6, 12, 6), (120, 600), paired=False, chance=0.25),  # falx
    BlobKind((16, 6, -19), (2.2, 5, 2.2), (100, 500), paired=True, chance=0.4),  # carotid siphon
    BlobKind((0, -12, -28), (2.2, 2.2, 10), (44, 68), paired=False, chance=0.7),  # basilar artery
    BlobKind((24, 4, -16), (9, 1.5, 1.5), (42, 62), paired=True, chance=0.4),  # middle cerebral artery
    BlobKind((14, -54, -34), (5, 5, 4), (55, 110), paired=True, chance=0.05),  # dentate nucleus
)
INFARCT_SITES = ((44, -8, 10), (30, -70, 12), (30, 36, 20), (24, -62, -36), (20, 4, 12), (44, -40, 22))


def draw_blobs(age: float, rng: np.random.Generator) -> tuple[Blob, ...]:
    """Calcifications and dense vessels of one head."""
    blobs: list[Blob] = []
    for kind in KINDS:
        if rng.random() < kind.chance * (0.5 + age / 130):
            blobs += _draw_kind(kind, rng)
    return tuple(blobs)


def _draw_kind(kind: BlobKind, rng: np.random.Generator) -> list[Blob]:
    """The body, twice where it comes in pairs, of unequal size."""
    hu = rng.uniform(*kind.hu)
    blobs = []
    for side in (1, -1) if kind.paired else (1,):
        if kind.paired and rng.random() < 0.2:  # noqa: PLR2004 - one side only is not rare
            continue
        size = rng.uniform(0.35, 1.1)
        x, y, z = np.asarray(kind.centre) + rng.normal(0, 1.2, 3)
        semi = (float(size * kind.semi[0]), float(size * kind.semi[1]), float(size * kind.semi[2]))
        blobs.append(Blob((float(side * x), float(y), float(z)), semi, float(hu)))
    return blobs


def draw_infarct(p: Points, age: float, rng: np.random.Generator) -> Field:
    """Weight 0 to 1 of an old infarct at the points; zero in most heads."""
    if rng.random() > np.clip((age - 40) / 130, 0.03, 0.35):
        return np.zeros_like(p.x)
    x, y, z = np.asarray(INFARCT_SITES[int(rng.integers(len(INFARCT_SITES)))], float) + rng.normal(0, 5, 3)
    size = float(rng.uniform(4, 22))
    semi = (size * float(rng.uniform(0.6, 1)), size * float(rng.uniform(0.7, 1.4)), size)
    depth = oval(p, (float(rng.choice([-1, 1]) * x), float(y), float(z)), semi)
    depth = depth + np.float32(0.25 * size) * Waves.draw(rng, 1.4 * size + 6).at(p)
    return np.asarray(np.clip(depth / np.float32(3) + 0.5, 0, 1), np.float32)
