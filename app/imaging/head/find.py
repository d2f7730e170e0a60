"""Finds the head from intensity, so that the model's grid hangs from the vertex whatever the field of view.

The volume is read every few millimetres (`app.imaging.head.coarse`), thresholded, opened to drop table, pillow and head
holder (thin), and the largest body is kept. In-plane the centre is taken from the top 120 mm only: chin, neck and
shoulders do not shift it. Whether that body is a head, and a whole one, is judged by `app.imaging.head.quality`.

Thresholds. CT: -300 HU separates air, foam and lung from every tissue. MR has no unit: a tenth of the way between the 2nd
and 98th percentile, as FSL BET estimates head against background (Smith, Hum Brain Mapp 2002;17:143).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage

from app.imaging.head.coarse import Coarse
from app.imaging.head.morphology import grown, shrunk
from app.imaging.sampling.lattice import StoredLattice
from app.imaging.volume import Finding, Modality, Volume

CT_TISSUE_HU = -300.0
BET_SHARE = 0.1
TOP_MM = 120.0
"""Height below the vertex in which the in-plane centre is measured; about the height of an adult braincase."""
TAIL = 0.01
"""Share of head voxels beyond either side of the in-plane box: what is left of a head holder does not move it."""
SAME_MM = 0.001
"""Rounding of positions. Planes of voxels often lie whole millimetres apart and one of them just on a limit; on which side, last digits must not decide."""
SMALLEST_HEAD_ML = 100.0
"""A fifth of a newborn's head; anything less is not a head."""


@dataclass(frozen=True)
class Head:
    """Where the head is, and what it was found in.

    Attributes:
        centre_mm: Right and Anterior coordinate of the middle of the head's box in its top 120 mm.
        size_mm: Right-to-left and anterior-to-posterior extent of that box.
        vertex_mm: Superior coordinate of the top of the head; of the volume's centre where no head was found.
        found: Whether it is a head or a fallback.
        coarse: The volume every few millimetres.
        mask: The largest body in it.
        findings: `head-not-found`.
    """

    centre_mm: tuple[float, float]
    size_mm: tuple[float, float]
    vertex_mm: float
    found: bool
    coarse: Coarse
    mask: Bool[np.ndarray, "k j i"]
    findings: tuple[Finding, ...] = ()

    def below_vertex_mm(self, volume: Volume) -> Float32[np.ndarray, "k j i"]:
        """How far below the top of the head every coarse value lies; what lies on a limit counts as beyond it."""
        return np.asarray(self.vertex_mm + SAME_MM - self.coarse.coordinate(volume, 2))


def find_head(volume: Volume) -> Head:
    """Finds vertex and in-plane centre; falls back to the volume's centre, and says so."""
    coarse = Coarse.of(volume, StoredLattice.of(volume))
    mask = _largest_body(coarse.values > tissue_threshold(coarse.values, volume.modality))
    if np.count_nonzero(mask) * coarse.voxel_ml < SMALLEST_HEAD_ML:
        return _fallback(volume, coarse, mask)
    superior = coarse.place(volume, 2)
    vertex = float(superior[mask].max())
    top = mask & (superior > vertex - TOP_MM + SAME_MM)
    left, right = _extent(coarse.place(volume, 0)[top])
    posterior, anterior = _extent(coarse.place(volume, 1)[top])
    return Head(
        centre_mm=((left + right) / 2, (posterior + anterior) / 2),
        size_mm=(right - left, anterior - posterior),
        vertex_mm=vertex,
        found=True,
        coarse=coarse,
        mask=mask,
    )


def tissue_threshold(values: Float32[np.ndarray, "k j i"], modality: Modality) -> float:
    """The value above which something is there: HU, or the scanner's unit."""
    if modality is Modality.CT:
        return CT_TISSUE_HU
    low, high = np.quantile(values, [0.02, 0.98])
    return float(low + BET_SHARE * (high - low))


def _extent(places_mm: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """Low and high end of places along an axis, less the tails."""
    low, high = np.quantile(places_mm, [TAIL, 1 - TAIL])
    return float(low), float(high)


def _largest_body(tissue: Bool[np.ndarray, "k j i"]) -> Bool[np.ndarray, "k j i"]:
    """The largest connected body after opening, grown back by one step within the tissue."""
    core = grown(shrunk(tissue))
    labels, count = ndimage.label(core)
    if count == 0:
        return np.zeros_like(tissue)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(grown(largest) & tissue)


def _fallback(volume: Volume, coarse: Coarse, mask: Bool[np.ndarray, "k j i"]) -> Head:
    middle = (np.array(volume.voxels.shape[:2]) - 1) / 2
    centre = volume.slice_origins.mean(axis=0) + middle[0] * volume.step_i + middle[1] * volume.step_j
    finding = Finding("head-not-found", "no head-like body; the model's grid was centred on the image")
    return Head(
        centre_mm=(float(centre[0]), float(centre[1])),
        size_mm=(0.0, 0.0),
        vertex_mm=float(centre[2]),
        found=False,
        coarse=coarse,
        mask=mask,
        findings=(finding,),
    )
