"""Bone, air and soft tissue around the brain, as depth functions: vault, base, face, sinuses, orbits, neck, skin.

Positions are those of an average head in the MNI frame, read off atlases; every case bends them by smooth noise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.face import face_fields
from training.phantoms.ct.noise import Noise
from training.phantoms.ct.shapes import Points, Region, blend, oval, smallest, tube, union
from training.phantoms.ct.traits import SkullTraits

Field = Float32[np.ndarray, "..."]


MARGIN_MM = 12.0
"""Nodes this far outside the skin are still evaluated: interpolation looks two nodes around."""
FACE_TOP_MM = 3.0
FAR_MM = -30.0
"""Depth given to nodes where a shape was not evaluated."""


@dataclass(frozen=True)
class SkullFields:
    """Depths in mm, positive inside, at the nodes.

    Attributes:
        cavity: Inside the inner table: brain, meninges, spinal canal.
        bone: Inside the outer surface of any bone; the cavity is drawn over it.
        spongy: Depth from the nearer surface of the bone.
        air: Sinuses, nose, throat, mastoid cells, ear canals.
        skin: Inside the body.
        muscle: Above zero muscle, below fat.
        globe: Inside an eye.
    """

    cavity: Field
    bone: Field
    spongy: Field
    air: Field
    skin: Field
    muscle: Field
    globe: Field


def skull_fields(p: Points, traits: SkullTraits, noise_in: Callable[[Region], Noise]) -> SkullFields:
    """Everything around the brain.

    Args:
        p: Positions, already bent by the case's own shape.
        traits: What differs between heads.
        noise_in: Gives the source of smooth noise for a part of the points.
    """
    m = p.mirrored
    petrous = tube(m, ((14, -20, -37), (52, -36, -36)), (5, 11))
    cavity, hull = cranial_cavity(p, m, petrous)
    skin = _skin(p, m, hull, traits)
    head = Region.where(skin > -MARGIN_MM)
    vault = head.put(head.take(hull) + _vault_thickness(head.points(p), traits, noise_in(head)), FAR_MM)
    low = Region.where((skin > -MARGIN_MM) & (p.z < FACE_TOP_MM))
    face = face_fields(low.points(p), low.take(skin), traits, noise_in(low))
    orbit = low.put(face.orbit, FAR_MM)
    bone = np.minimum(union(vault, petrous, low.put(face.bone, FAR_MM)), -orbit)
    soft = low.put(face.muscle, FAR_MM)
    return SkullFields(
        cavity=cavity,
        bone=bone,
        spongy=np.minimum(bone, -cavity),
        air=low.put(np.maximum(face.sinuses, np.minimum(face.cells, low.take(bone) + 2)), FAR_MM),
        skin=union(skin, bone + 2.5),
        muscle=np.where(orbit > 0, soft, union(soft, _scalp(skin, vault, traits))).astype(np.float32),
        globe=low.put(face.globe, FAR_MM),
    )


def cranial_cavity(p: Points, m: Points, petrous: Field) -> tuple[Field, Field]:
    """Depths below the inner table and below a hull that follows it outside.

    The fossae are ellipsoids joined with rounded creases; the hull bridges the creases, as the outer table does where
    the petrous bones reach it.
    """
    # Seen from above a head is an egg with its narrow end in front.
    narrowed = Points(p.x * (1 + np.float32(0.0014) * (p.y + 30)), p.y, p.z)
    cerebrum = oval(narrowed, (0, -18, 8), (70, 90, 73))
    # Orbital roofs rise to the sides; the middle dips to the cribriform plate.
    floor = p.z + np.float32(27) - np.float32(0.012) * np.minimum(p.x * p.x, 900)
    cerebrum = -blend(-cerebrum, -floor, 8)
    temporal = oval(m, (40, -7, -21), (28, 35, 28))
    posterior = oval(p, (0, -60, -31), (59, 44, 34))
    brainstem = oval(p, (0, -26, -28), (17, 20, 30))
    canal = tube(p, ((0, -46, -58), (0, -54, -150)), (16, 10))
    middle = blend(brainstem, canal, 8)
    cavity = blend(cerebrum, blend(blend(temporal, posterior, 5), middle, 6), 7)
    hull = blend(cerebrum, blend(blend(temporal, posterior, 32), middle, 6), 14)
    return smallest(cavity, -petrous, 4), hull


def _vault_thickness(p: Points, traits: SkullTraits, noise: Noise) -> Field:
    """Thicker at the back and front, thin at the temples, never even."""
    occiput = 3.5 * np.exp(-(((p.y + 112) / 22) ** 2) - ((p.z + 5) / 28) ** 2)
    frontal = 1.5 * np.exp(-(((p.y - 75) / 15) ** 2))
    temple = -0.4 * traits.vault_mm * np.exp(-(((np.abs(p.x) - 72) / 22) ** 2) - ((p.z + 8) / 32) ** 2)
    uneven = 0.9 * noise(55) + 0.35 * noise(18)
    thickness = np.float32(traits.vault_mm) + occiput + frontal + temple + uneven
    return np.asarray(np.maximum(thickness, np.float32(1.8)), np.float32)


def _skin(p: Points, m: Points, hull: Field, traits: SkullTraits) -> Field:
    """Outline of the head: scalp, face, nose, ears, neck."""
    scalp = hull + np.float32(traits.vault_mm + traits.scalp_mm)
    upper = np.minimum(scalp, p.z + 62)
    face = oval(p, (0, 22, -62), (68, 72, 66))
    neck = tube(p, ((0, -42, -70), (0, -52, -190)), (62, 58))
    nose = tube(p, ((0, 78, -34), (0, 97, -62)), (7, 11))
    ears = oval(m, (84, -32, -38), (7, 16, 30))
    return blend(blend(blend(blend(upper, face, 14), neck, 18), nose, 9), ears, 2)


def _scalp(skin: Field, vault: Field, traits: SkullTraits) -> Field:
    """Above zero in the skin itself and in the layer on the bone, below zero in the fat between."""
    on_bone = vault + np.float32(0.45 * traits.scalp_mm)
    return np.asarray(np.maximum(np.float32(2.0) - skin, np.minimum(on_bone, skin - 2)), np.float32)
