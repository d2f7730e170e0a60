"""Face, base of the skull and neck: facial bones, sinuses, mastoid cells, orbits, vertebrae, and the tissue between."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.noise import Noise
from training.phantoms.ct.shapes import Points, carve, oval, shell, tube, union
from training.phantoms.ct.traits import SkullTraits

Field = Float32[np.ndarray, "..."]


@dataclass(frozen=True)
class FaceFields:
    """Depths in mm, positive inside.

    Attributes:
        bone: Bones of base, face and neck, with the walls of sinuses and orbits.
        sinuses: Air in sinuses, nose, throat and ear canals.
        cells: Air cells of the temporal bone, to be kept inside the bone.
        orbit: Inside an orbit.
        globe: Inside an eye.
        muscle: Above zero muscle, below fat.
    """

    bone: Field
    sinuses: Field
    cells: Field
    orbit: Field
    globe: Field
    muscle: Field


def face_fields(p: Points, skin: Field, traits: SkullTraits, noise: Noise) -> FaceFields:
    """Everything below the level of the orbital roofs that is not the vault."""
    m = p.mirrored
    sinuses, cells = _air(p, m, traits, noise)
    orbit = tube(m, ((32, 70, -37), (13, 25, -31)), (18, 5))
    walls = union(shell(sinuses, 1.6), np.minimum(shell(orbit, 1.8), np.float32(66) - p.y))
    return FaceFields(
        bone=union(_facial_bone(p, m, noise), walls),
        sinuses=union(np.minimum(sinuses, 14), _air_ways(p, m)),
        cells=cells,
        orbit=orbit,
        globe=oval(m, (32, 66, -37), (12.2, 12.2, 12.2)),
        muscle=_muscle(m, skin, orbit, traits, noise),
    )


def _facial_bone(p: Points, m: Points, noise: Noise) -> Field:
    """Base, zygoma, jaw, teeth and the upper vertebrae."""
    rough = 2.0 * noise(14)
    base = union(
        oval(m, (54, -38, -46), (14, 17, 20)),  # mastoid
        oval(p, (0, 10, -38), (19, 20, 15)),  # sphenoid body
        tube(p, ((0, -4, -36), (0, -22, -58)), (9, 7)),  # clivus
        oval(m, (24, 14, -48), (7, 9, 14)),  # pterygoid plates
        oval(m, (22, -34, -66), (9, 13, 8)),  # condyles
    )
    zygoma = union(
        tube(m, ((66, -8, -46), (62, 34, -50)), (3.5, 4)),
        tube(m, ((62, 34, -50), (44, 60, -54)), (5, 4)),
        tube(m, ((56, 42, -50), (47, 52, -24)), (4, 3.5)),
        tube(p, ((0, 74, -36), (0, 86, -48)), (4, 2.5)),
    )
    jaw = union(
        tube(m, ((52, -8, -50), (50, -2, -100)), (5, 5)),
        np.minimum(shell(oval(p, (0, 30, -98), (34, 40, 26)), 9), np.minimum(p.y - 8, -80 - p.z)),
    )
    return union(base + rough, zygoma, jaw, _vertebrae(p, m) + np.float32(0.5) * rough)


def _vertebrae(p: Points, m: Points) -> Field:
    """Atlas and axis around the canal, the dens, and a column below."""
    ring = np.minimum(shell(tube(p, ((0, -47, -70), (0, -54, -150)), (13, 12)), 5.5), -70 - p.z)
    gaps = np.cos((p.z + 82) * np.float32(2 * np.pi / 18)) * 4 + 1.5
    masses = oval(m, (22, -38, -82), (10, 11, 8))
    body = oval(p, (0, -30, -118), (12, 10, 34))
    dens = tube(p, ((0, -29, -74), (0, -30, -100)), (5, 6))
    return union(np.minimum(ring, gaps), masses, body, dens)


def _air(p: Points, m: Points, traits: SkullTraits, noise: Noise) -> tuple[Field, Field]:
    """Depths of the sinuses (with bony walls) and of the cells inside the temporal bone."""
    septa = 2.6 - np.abs(noise(15)) * 7
    ethmoid = np.minimum(oval(p, (0, 42, -37), (13, 25, 14)), -septa)
    sphenoid = np.minimum(oval(p, (0, 13, -39), (13, 12, 10)), np.abs(p.x - 2) - np.float32(0.9))
    maxillary = oval(m, (29, 46, -64), (14, 18, 17))
    sinuses = union(ethmoid, sphenoid, maxillary)
    if traits.frontal_sinus > 0:
        size = traits.frontal_sinus
        frontal = oval(p, (3, 71, -14), (18 * size, 4.6 * size**0.5, 12 * size))
        sinuses = union(sinuses, np.minimum(frontal, np.abs(p.x + 1) - 1))
    if traits.opacified:
        sinuses = np.minimum(sinuses, p.z + np.float32(56) + 6 * noise(40))
    reach = union(oval(m, (56, -40, -46), (13, 18, 20)), tube(m, ((38, -26, -38), (56, -38, -40)), (4, 10)))
    cells = np.minimum(reach, 3.0 * noise(10) - np.float32(1.2 - 1.6 * traits.mastoid_air))
    return sinuses, cells


def _air_ways(p: Points, m: Points) -> Field:
    """Nose, throat, ear canals."""
    nose = np.minimum(oval(p, (0, 52, -62), (13, 33, 23)), np.abs(p.x) - np.float32(0.9))
    turbinates = union(
        tube(m, ((8, 72, -58), (8, 34, -56)), (3.5, 3)), tube(m, ((9, 72, -72), (9, 30, -70)), (4, 3.5))
    )
    throat = union(oval(p, (0, 6, -64), (11, 10, 13)), tube(p, ((0, 0, -76), (0, -8, -150)), (8, 7)))
    ears = union(tube(m, ((54, -23, -44), (90, -26, -44)), (3.2, 3.5)), oval(m, (46, -24, -41), (4, 6, 6)))
    return union(carve(nose, turbinates), throat, ears)


def _muscle(m: Points, skin: Field, orbit: Field, traits: SkullTraits, noise: Noise) -> Field:
    """Above zero muscle, below fat: streaks of both in face and neck, the temporalis, the muscles of the eyes."""
    # Muscles are lumps between planes of fat, with a larger pad of fat here and there.
    planes = np.float32(7) * np.abs(noise(34)) - np.float32(1.6 + 0.6 * traits.fat)
    patches = np.minimum(planes, np.float32(4) * (noise(30) + np.float32(0.9 - 0.4 * traits.fat)))
    deep = np.minimum(patches, skin - np.float32(0.5 * traits.scalp_mm + 1))
    temporalis = np.minimum(oval(m, (66, 12, -20), (12, 34, 34)), skin - 3)
    axis = tube(m, ((30, 62, -37), (13, 25, -31)), (11, 3))
    nerve = tube(m, ((31, 55, -37), (13, 25, -31)), (2.2, 2.0))
    inside_orbit = np.minimum(union(shell(axis, 3.2), nerve, np.float32(2) - skin), np.float32(6))
    return np.asarray(np.where(orbit > 0, inside_orbit, np.maximum(deep, temporalis)), np.float32)
