"""The bleed: what is asked for, where it starts, its ragged shape, its exact volume, and how it pushes the brain.

The same shape is planted into a phantom (`training.phantoms.head_ct`) and into a real head CT (`plant_haemorrhage`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.shapes import Point, Points

Field = Float32[np.ndarray, "..."]
Location = Literal["lobar", "deep", "infratentorial"]
Side = Literal["left", "right"]

SITES = {
    "lobar": (
        ((34, 36, 24), 0.35),  # frontal
        ((40, -42, 42), 0.25),  # parietal
        ((48, -20, -10), 0.25),  # temporal
        ((26, -76, 14), 0.15),  # occipital
    ),
    "deep": (((28, 2, 3), 0.65), ((13, -18, 9), 0.35)),  # putamen, thalamus
    "infratentorial": (((23, -62, -36), 0.75), ((3, -28, -32), 0.25)),  # cerebellum, pons
}
"""Centres on the right side in the head frame (mm) and how often each is the one."""
WANDER_MM = {"lobar": 7.0, "deep": 3.0, "infratentorial": 3.0}
PONS_LIMIT_ML = 12.0
"""Larger infratentorial bleeds start in the cerebellum: the pons has no room for them."""
REACH_RADII, REACH_MM = 2.3, 10.0
"""How far a bleed may reach from its centre: in radii of a ball of its volume, and beyond that."""
SHIFT_PER_ML_MM = 0.09
LARGEST_SHIFT_MM = 11.0
SHIFTLESS_ML = 6.0
SWELL_MM = 40.0
LARGEST_SQUEEZE_MM = 3.0


@dataclass(frozen=True)
class Haemorrhage:
    """A haemorrhage to be planted.

    Attributes:
        location: Lobar (frontal, parietal, temporal, occipital), deep (putamen, thalamus) or infratentorial
            (cerebellum, pons).
        side: Of the patient.
        volume_ml: Of the blood in the brain's tissue; blood in the ventricles comes on top, as in the ICH score
            (Hemphill 2001).
        intraventricular: Whether it has broken into the ventricles.
    """

    location: Location
    side: Side
    volume_ml: float
    intraventricular: bool

    @property
    def sign(self) -> int:
        """Of x on the bleed's side: RAS, so the right is positive."""
        return 1 if self.side == "right" else -1

    @property
    def radius_mm(self) -> float:
        """Of a ball of the same volume."""
        return float(np.cbrt(3000 * self.volume_ml / (4 * np.pi)))


@dataclass(frozen=True)
class BloodLook:
    """How clotted blood appears.

    Attributes:
        hu: Mean density.
        mottle_hu: Amplitude of uneven clotting.
        layered: Whether cells have settled below serum (a fluid level), as under anticoagulation.
        oedema_hu: Drop of the tissue around.
        oedema_mm: Width of that rim.
    """

    hu: float
    mottle_hu: float
    layered: bool
    oedema_hu: float
    oedema_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "BloodLook":
        """One bleed, hours old."""
        return cls(
            hu=float(rng.uniform(56, 78)),
            mottle_hu=float(rng.uniform(1, 6)),
            layered=bool(rng.random() < 0.08),  # noqa: PLR2004
            oedema_hu=float(rng.uniform(6, 18)),
            oedema_mm=float(rng.uniform(2, 9)),
        )


def draw_centre(bleed: Haemorrhage, rng: np.random.Generator) -> Point:
    """Where the bleed starts, head frame mm."""
    sites = SITES[bleed.location]
    if bleed.location == "infratentorial" and bleed.volume_ml > PONS_LIMIT_ML:
        sites = sites[:1]
    weights = np.array([weight for _, weight in sites])
    centre = np.array(sites[int(rng.choice(len(sites), p=weights / weights.sum()))][0], float)
    centre += rng.normal(0, WANDER_MM[bleed.location], 3)
    x, y, z = centre
    return float(bleed.sign * x), float(y), float(z)


@dataclass(frozen=True)
class Push:
    """What a bleed does to the brain around it.

    Attributes:
        before: Where the tissue that now lies at each point lay without the bleed, head frame mm.
        squeeze_mm: How much narrower fluid spaces have become on each side.
    """

    before: Points
    squeeze_mm: Field


def push(p: Points, bleed: Haemorrhage | None, centre: Point | None, surface: Field) -> Push:
    """Mass effect: the brain gives way to the other side, and its fluid spaces close.

    Args:
        p: Positions now, head frame mm.
        bleed: Its volume decides the shift.
        centre: Of the bleed, head frame mm.
        surface: Depth below the inner table: bone stays where it is.
    """
    if bleed is None or centre is None:
        return Push(p, np.zeros_like(p.x))
    shift = min(LARGEST_SHIFT_MM, SHIFT_PER_ML_MM * max(bleed.volume_ml - SHIFTLESS_ML, 0))
    if bleed.location == "infratentorial":
        shift *= 0.5
    dx, dy, dz = (axis - np.float32(c) for axis, c in zip(p, centre, strict=True))
    distance2 = dx * dx + dy * dy + dz * dz
    swell = np.exp(distance2 * np.float32(-1 / (2 * SWELL_MM**2)))
    squeeze = swell * np.float32(min(0.4 * shift + 0.5, LARGEST_SQUEEZE_MM))
    swell *= np.clip(surface / 18, 0, 1)
    away = swell * np.float32(0.5 * shift) / np.sqrt(distance2 + 100)
    across = swell * np.float32(-0.9 * bleed.sign * shift)
    return Push(Points(p.x - across - away * dx, p.y - away * dy, p.z - away * dz), squeeze)
