"""How much of the braincase lies beyond each face of the image.

Where a face cuts a head, the cross-section on it tells how deep: the head is taken as an ellipsoid of adult size, and a
plane that cuts it in an area A leaves a cap beyond it of

    h = a (1 - sqrt(1 - A / (pi b c)))        (a: semi-axis across the face; b, c: along it)

Only the top 90 mm count, the ellipsoid's upper half: necks end somewhere, and a nose or an ear beyond the image hides
nothing of the brain. So a side shows half of its section, and the lower face never counts. Scalp and skull together are
about 12 mm thick at the vertex and little less at the sides: a cap of up to 10 mm holds none of the brain.
"""

from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.imaging.head.find import Head
from app.imaging.volume import Volume

SEMI_AXES_MM: Final = (75.0, 95.0, 90.0)
"""Right, Anterior, Superior: half of an adult head's breadth and length, and of its height above the skull base."""
SUPERIOR: Final = 2
HARMLESS_MM: Final = 10.0
SIDES: Final = (("left", "right"), ("back", "front"), ("bottom", "top"))
"""By RAS axis: towards its negative and its positive end."""


def missing_mm(volume: Volume, head: Head) -> dict[str, float]:
    """What is cut off, by side, in millimetres; only sides at which more than `HARMLESS_MM` are missing."""
    missing: dict[str, float] = {}
    down = head.below_vertex_mm(volume)
    for stored, end in product(range(3), (0, -1)):
        axis, side = _side(volume, stored, end)
        touching = head.mask.take(end, stored) & (down.take(end, stored) < SEMI_AXES_MM[SUPERIOR])
        area_mm2 = np.count_nonzero(touching) * head.coarse.voxel_ml * 1000 / head.coarse.steps_mm[stored]
        beyond = _cap_mm(area_mm2, axis) - _inset_mm(volume, head, stored, end)
        if side != "bottom" and beyond > max(missing.get(side, 0.0), HARMLESS_MM):
            missing[side] = beyond
    return missing


def in_words(missing: dict[str, float]) -> str:
    """Such as: about 20 mm at the top, 12 mm at the left."""
    parts = [f"{length:.0f} mm at the {side}" for side, length in sorted(missing.items())]
    return "about " + ", ".join(parts)


def _side(volume: Volume, stored: int, end: int) -> tuple[int, str]:
    """RAS axis and name of the patient's side to which a face of the stored array (k, j, i) looks."""
    stack = volume.slice_origins[-1] - volume.slice_origins[0]
    along: Float64[np.ndarray, 3] = (stack, volume.step_j, volume.step_i)[stored]
    axis = int(np.argmax(np.abs(along)))
    return axis, SIDES[axis][int((along[axis] > 0) == (end == -1))]


def _cap_mm(seen_mm2: float, axis: int) -> float:
    area_mm2 = seen_mm2 if axis == SUPERIOR else 2 * seen_mm2
    a = SEMI_AXES_MM[axis]
    b, c = (semi for other, semi in enumerate(SEMI_AXES_MM) if other != axis)
    return float(a * (1 - np.sqrt(max(1 - area_mm2 / (np.pi * b * c), 0.0))))


def _inset_mm(volume: Volume, head: Head, stored: int, end: int) -> float:
    """From the outermost coarse voxels' centres to the face, which is the outer side of the outermost stored voxels."""
    last = volume.voxels.shape[2 - stored] - 1
    index = float(head.coarse.indices[stored][end])
    steps = 0.5 + (index if end == 0 else last - index)
    lattice = head.coarse.lattice
    step_i, step_j = lattice.in_plane_mm
    return steps * (float(lattice.gaps[end]), step_j, step_i)[stored]
