"""Slices of Hounsfield units: each tissue is laid over the last with its share of the voxel."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from training.phantoms.ct.anatomy import Anatomy
from training.phantoms.ct.brain_painting import BrainPainter
from training.phantoms.ct.lesions import Blob
from training.phantoms.ct.raster import Raster, lay, share
from training.phantoms.ct.shapes import oval
from training.phantoms.ct.slice_lattice import Box
from training.phantoms.ct.spill import Spill

Field = Float32[np.ndarray, "..."]
Slice = Float32[np.ndarray, "i j"]
Labels = UInt8[np.ndarray, "i j"]
AIR_HU, FAT_HU, EYE_HU = -1000.0, -95.0, 16.0
TABLE_MM = 1.3
"""Thickness of compact bone before the spongy layer begins."""
HALF = 0.5
PARENCHYMAL, INTRAVENTRICULAR = 1, 2
"""Labels of the mask."""


@dataclass(frozen=True)
class Edges:
    """Depths in edge widths at the middle of the slices, [K, A, B], ready for interpolation."""

    skin: Field
    muscle: Field
    globe: Field
    bone: Field
    air: Field
    cavity: Field

    @classmethod
    def of(cls, anatomy: Anatomy, raster: Raster) -> "Edges":
        """Edges of everything around the brain."""
        skull = anatomy.skull
        return cls(
            skin=raster.edge(skull.skin),
            muscle=raster.edge(skull.muscle),
            globe=raster.edge(skull.globe),
            bone=raster.edge(skull.bone),
            air=raster.edge(skull.air),
            cavity=raster.edge(skull.cavity),
        )


class Painter:
    """Paints slices of one head.

    Args:
        anatomy: The head at the nodes.
        raster: The nodes.
        spill: The blood, if there is any.
    """

    def __init__(self, anatomy: Anatomy, raster: Raster, spill: Spill | None) -> None:
        self._anatomy = anatomy
        self._raster = raster
        self._spill = spill
        self._brain = BrainPainter(anatomy, raster)
        self._edges = Edges.of(anatomy, raster)
        self._spongy = raster.middle(anatomy.skull.spongy)
        self._blobs = [_blob_share(blob, raster) for blob in anatomy.blobs]

    def slice(self, k: int) -> tuple[Slice, Labels]:
        """HU of the raster's window in slice k before noise, and its part of the mask."""
        hu = self._head(k)
        labels = np.zeros(hu.shape, np.uint8)
        within = self._edges.cavity[k] > -HALF
        if within.any():
            patch = self._raster.patch_of(within)
            inside = share(self._raster.pixels(self._edges.cavity[k], patch))
            lay(hu[patch], inside, self._brain.slice(k, patch))
            self._lay_blobs(hu, k)
            if self._spill is not None:
                self._lay_blood(hu, labels, self._spill, k)
        if (self._edges.air[k] > -HALF).any():
            lay(hu, self._share(self._edges.air[k]), np.float32(AIR_HU))
        return hu, labels

    def noise_scale(self, k: int) -> Slice:
        """Noise relative to mid-brain in the window of slice k."""
        return self._raster.pixels(self._anatomy.noise_scale[k])

    def _share(self, nodes: Float32[np.ndarray, "A B"]) -> Slice:
        return share(self._raster.pixels(nodes))

    def _head(self, k: int) -> Slice:
        """Air, soft tissue, eyes and bone."""
        tissue = self._share(self._edges.muscle[k])
        tissue *= np.float32(self._anatomy.skull_traits.muscle_hu - FAT_HU)
        tissue += np.float32(FAT_HU)
        if (self._edges.globe[k] > -HALF).any():
            lay(tissue, self._share(self._edges.globe[k]), np.float32(EYE_HU))
        hu = np.full(tissue.shape, AIR_HU, np.float32)
        lay(hu, self._share(self._edges.skin[k]), tissue)
        lay(hu, self._share(self._edges.bone[k]), self._bone_hu(k))
        return hu

    def _bone_hu(self, k: int) -> Slice:
        """Compact at the surfaces, spongy between."""
        traits = self._anatomy.skull_traits
        spongy = self._raster.pixels(self._spongy[k])
        spongy -= np.float32(TABLE_MM)
        np.clip(spongy, 0, 1, out=spongy)
        spongy *= np.float32(traits.diploe_hu - traits.table_hu)
        spongy += np.float32(traits.table_hu)
        return spongy

    def _lay_blobs(self, hu: Slice, k: int) -> None:
        for blob, (box, inside) in zip(self._anatomy.blobs, self._blobs, strict=True):
            if box.k.start <= k < box.k.stop:
                lay(hu[box.i, box.j], inside[:, :, k - box.k.start], np.float32(blob.hu))

    def _lay_blood(self, hu: Slice, labels: Labels, spill: Spill, k: int) -> None:
        if spill.ventricular is not None and (spill.ventricular[k] > -HALF).any():
            filled = self._share(spill.ventricular[k])
            lay(hu, filled, np.float32(spill.ventricular_hu))
            labels[filled >= HALF] = INTRAVENTRICULAR
        box = spill.box
        if box.k.start <= k < box.k.stop:
            here = (slice(None), slice(None), k - box.k.start)
            hu[box.i, box.j] -= spill.oedema_hu[here] * (1 - spill.share[here])
            lay(hu[box.i, box.j], spill.share[here], spill.hu[here])
            labels[box.i, box.j][spill.inside[here]] = PARENCHYMAL


def _blob_share(blob: Blob, raster: Raster) -> tuple[Box, Field]:
    """Share of a small body in the voxels of its box, averaged over three heights of the slice."""
    centre = raster.world(blob.centre)
    box = raster.lattice.box(centre, max(blob.semi) + raster.thickness_mm)
    lifts = (-raster.thickness_mm / 3, 0.0, raster.thickness_mm / 3)
    depths = (oval(raster.lattice.offsets(box, centre, lift), (0, 0, 0), blob.semi) for lift in lifts)
    shares = [share(depth / np.float32(2 * raster.blur_mm)) for depth in depths]
    return box, np.asarray(np.mean(shares, axis=0), np.float32)
