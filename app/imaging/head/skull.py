"""Whether there is a skull around what was found: a shell of bone in CT, a dark layer in MR.

CT: bone (> 200 HU) within 40 mm of the surface in some share of the wall's cells. A head has it in all of them, after a
hemicraniectomy still in more than half; a limb, a trunk or a brain alone has it nowhere near.

MR: bone is dark in every contrast, and the layer of 12 to 18 mm under the skin is mostly skull and the fluid beneath.
Under the surface of a brain alone lies cortex. That layer's median, relative to the tissue deeper than 25 mm, is below
0.6 with and above 0.6 without a skull in the phantoms, the templates and the T1 images here. A stripped image besides is
no larger around than a brain, and exactly 0 outside, which no receiver measures.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool

from app.imaging.head.silhouette import Silhouette
from app.imaging.volume import Modality

SHELL_HU: Final = 200.0
SHELL_MM: Final = 40.0
LEAST_SHELL: Final = 0.2
LAYER_MM: Final = (12.0, 18.0)
DEEP_MM: Final = 25.0
DARKEST_CORTEX: Final = 0.58
OUTSIDE_MM: Final = (6.0, 20.0)
LEAST_ZERO: Final = 0.9
SCALP_MM: Final = (3.0, 25.0)
TISSUE: Final = 0.25
MOST_SCALP: Final = 0.1
LARGEST_BRAIN_MM: Final = 550.0
"""Around the widest part. The brains of templates and phantoms here measure 480 to 526 mm, adults' heads 506 and more."""


def has_shell_of_bone(outline: Silhouette) -> bool:
    """Whether bone lies under the surface (CT)."""
    bone = outline.body & (outline.values > SHELL_HU) & (outline.inward_mm < SHELL_MM)
    return outline.share_of_wall(bone) >= LEAST_SHELL


def is_stripped(modality: Modality, outline: Silhouette) -> bool:
    """Whether it is a brain without its skull."""
    if outline.circumference_mm() > LARGEST_BRAIN_MM:
        return False
    if modality is Modality.CT:
        return not has_shell_of_bone(outline)
    return _brightness_of_layer(outline) > DARKEST_CORTEX and _share_of_zeros_outside(outline) > LEAST_ZERO


def is_outermost(modality: Modality, outline: Silhouette) -> bool:
    """Whether nothing lies around the body; a thin scalp, parted from the brain by dark skull (MR), may be lost."""
    if modality is Modality.CT:
        return True
    low, high = SCALP_MM
    around = outline.values[outline.in_wall & _between(outline, -high, -low)]
    tissue = np.count_nonzero(around > TISSUE * _deep(outline))
    return bool(tissue <= MOST_SCALP * len(around))


def _brightness_of_layer(outline: Silhouette) -> float:
    """Median of the layer where a skull would be, relative to deep tissue; 0 where the wall is not in the image."""
    layer = outline.values[outline.in_wall & _between(outline, *LAYER_MM)]
    deep = _deep(outline)
    return float(np.median(layer) / deep) if len(layer) and deep > 0 else 0.0


def _deep(outline: Silhouette) -> float:
    """Median value of tissue deep inside the body; 0 where there is none."""
    deep = outline.values[outline.in_wall & outline.body & (outline.inward_mm > DEEP_MM)]
    return float(np.median(deep)) if len(deep) else 0.0


def _share_of_zeros_outside(outline: Silhouette) -> float:
    low, high = OUTSIDE_MM
    outside = outline.values[outline.in_wall & _between(outline, -high, -low)]
    return float(np.mean(outside == 0)) if len(outside) else 0.0


def _between(outline: Silhouette, low: float, high: float) -> Bool[np.ndarray, " n"]:
    return np.asarray((outline.inward_mm > low) & (outline.inward_mm < high))
