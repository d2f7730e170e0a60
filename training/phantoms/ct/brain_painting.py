"""The brain's part of a slice: grey and white matter, fluid, dura."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantoms.ct.anatomy import Anatomy
from training.phantoms.ct.raster import Patch, Raster, lay, share, sheet_share

Field = Float32[np.ndarray, "..."]
Slice = Float32[np.ndarray, "i j"]
INFARCT_SHARE = 0.8
"""An old infarct is nearly fluid."""
FALX_HALF_MM = 0.6
TENTORIUM_HALF_MM = 0.8
MEMBRANE_SHARE = 0.6
"""How much of the tentorium's density is left beside the fluid that lines it."""


@dataclass(frozen=True)
class Tissues:
    """What is interpolated to pixels, [K, A, B].

    Edges in widths: fluid, nuclei, dense, tent. Sheets in mm: signed distance, half width and the range of distances
    inside a voxel. HU: shade. Weight: infarct.
    """

    fluid: Field
    nuclei: Field
    dense: Field
    tent: Field
    sulcus: Field
    sulcus_half: Field
    sulcus_spread: Field
    ribbon: Field
    midline: Field
    fissure: Field
    falx: Field
    shade: Field
    infarct: Field

    @classmethod
    def of(cls, anatomy: Anatomy, raster: Raster) -> "Tissues":
        """Everything that is laid into the cavity."""
        brain = anatomy.brain
        return cls(
            fluid=raster.edge(brain.fluid),
            nuclei=raster.edge(brain.nuclei),
            dense=raster.edge(brain.dense),
            tent=raster.edge(np.float32(TENTORIUM_HALF_MM) - np.abs(brain.tent)),
            sulcus=raster.middle(brain.sulcus),
            sulcus_half=raster.middle(brain.sulcus_half),
            sulcus_spread=raster.spread(brain.sulcus),
            ribbon=raster.middle(brain.ribbon),
            midline=raster.middle(brain.midline),
            fissure=raster.middle(brain.fissure),
            falx=raster.middle(brain.falx),
            shade=anatomy.shade_hu,
            infarct=anatomy.infarct,
        )


class BrainPainter:
    """Paints the inside of the skull.

    Args:
        anatomy: The head at the nodes.
        raster: The nodes.
    """

    def __init__(self, anatomy: Anatomy, raster: Raster) -> None:
        self._traits = anatomy.brain_traits
        self._raster = raster
        self._tissues = Tissues.of(anatomy, raster)

    def slice(self, k: int, patch: Patch) -> Slice:
        """HU of a patch of the raster's window in slice k, without blood."""
        sulcus = np.abs(self._at(self._tissues.sulcus, k, patch))
        spread = self._at(self._tissues.sulcus_spread, k, patch)
        np.maximum(spread, np.float32(self._raster.blur_mm), out=spread)
        hu = self._tissue(k, patch, sulcus, spread)
        fluid = sheet_share(sulcus, self._at(self._tissues.sulcus_half, k, patch), spread)
        np.maximum(fluid, share(self._at(self._tissues.fluid, k, patch)), out=fluid)
        midline = np.abs(self._at(self._tissues.midline, k, patch))
        blur = np.float32(1.3 * self._raster.blur_mm)
        fissure = sheet_share(midline, self._at(self._tissues.fissure, k, patch), blur)
        lay(hu, np.maximum(fluid, fissure, out=fluid), np.float32(self._traits.csf_hu))
        lay(hu, self._dura(k, patch, midline, blur), np.float32(self._traits.dura_hu))
        return hu

    def _at(self, nodes: Field, k: int, patch: Patch) -> Slice:
        return self._raster.pixels(nodes[k], patch)

    def _tissue(self, k: int, patch: Patch, sulcus: Slice, spread: Slice) -> Slice:
        """Grey and white matter with shading and an old infarct."""
        grey = sheet_share(sulcus, self._at(self._tissues.ribbon, k, patch), spread)
        np.maximum(grey, share(self._at(self._tissues.nuclei, k, patch)), out=grey)
        grey *= np.float32(self._traits.grey_hu - self._traits.white_hu)
        grey += self._at(self._tissues.shade, k, patch)
        grey += np.float32(self._traits.white_hu)
        if self._tissues.infarct[k].any():
            weight = np.clip(self._at(self._tissues.infarct, k, patch), 0, 1)
            lay(grey, np.float32(INFARCT_SHARE) * weight, np.float32(self._traits.csf_hu))
        return grey

    def _dura(self, k: int, patch: Patch, midline: Slice, blur: np.float32) -> Slice:
        """Falx, venous sinuses, tentorium."""
        half = np.minimum(self._at(self._tissues.falx, k, patch), np.float32(FALX_HALF_MM))
        dura = sheet_share(midline, half, blur)
        np.maximum(dura, share(self._at(self._tissues.dense, k, patch)), out=dura)
        tent = share(self._at(self._tissues.tent, k, patch))
        return np.asarray(np.maximum(dura, np.float32(MEMBRANE_SHARE) * tent, out=dura), np.float32)
