"""What certainly is no head, and is refused.

A refusal must never hit a real head, however ill, old or badly placed, so every limit lies far outside what heads have:

- lung (CT): more than 300 ml of -900..-500 HU, at least 15 mm inside the body, in the top 160 mm. Sinuses, airways and
  mastoid cells make up less than 60 ml of it; where a neck is imaged with the head, the lungs lie far below;
- trunk: a median radius of more than 125 mm. Heads 75 cm around, far beyond any adult's, have less than 120 mm. Where
  tissue or noise fills an MR image to its sides, the radius says nothing;
- limb: cut off at the top and not at the sides, and over at least 80 mm of height nowhere thicker than 70 mm in radius
  and nowhere thinner than three quarters of that. From the age of one a head that is cut at the top widens to 73 mm;
- bone inside only (CT): whole at the sides, more than 30 ml of bone (> 300 HU), so the values are not clipped, and no
  shell of it. Where the sides are cut, as in an enlarged temporal bone, the skull may lie outside the image.
"""

from typing import Final

import numpy as np

from app.imaging.head.silhouette import Silhouette
from app.imaging.head.skull import has_shell_of_bone, is_outermost
from app.imaging.volume import Modality

LUNG_HU: Final = (-900.0, -500.0)
LUNG_INSIDE_MM: Final = 15.0
MOST_LUNG_ML: Final = 300.0
WIDEST_RADIUS_MM: Final = 125.0
LIMB_RADIUS_MM: Final = 70.0
LIMB_EVENNESS: Final = 0.75
LIMB_HEIGHTS: Final = 8
BONE_HU: Final = 300.0
MOST_BONE_INSIDE_ML: Final = 30.0
FILLED_SIDES: Final = 3


def what_else(modality: Modality, outline: Silhouette, cut_sides: frozenset[str]) -> str | None:
    """What an image shows instead of a head, in words; None where it may be a head.

    Args:
        modality: What made the image.
        outline: The body's outline.
        cut_sides: The sides at which it leaves the image.
    """
    if modality is Modality.CT and _lung_ml(outline) > MOST_LUNG_ML:
        return f"lung in the top 160 mm of the body (more than {MOST_LUNG_ML:.0f} ml)"
    if _is_trunk(modality, outline, cut_sides):
        return f"a body wider than any head (radius over {WIDEST_RADIUS_MM:.0f} mm)"
    if cut_sides == {"top"} and _is_limb(outline) and is_outermost(modality, outline):
        return "a limb (thin, and evenly so over its height)"
    if modality is Modality.CT and cut_sides <= {"top"} and _has_bone_inside_only(outline):
        return "bone inside the body, but none around it"
    return None


def fills_view(cut_sides: frozenset[str]) -> bool:
    """Whether tissue, or noise, fills the image to its sides."""
    return len(cut_sides - {"top"}) >= FILLED_SIDES


def _lung_ml(outline: Silhouette) -> float:
    low, high = LUNG_HU
    inside = (outline.values > low) & (outline.values < high) & (outline.inward_mm > LUNG_INSIDE_MM)
    return float(np.count_nonzero(inside) * outline.voxel_ml)


def _is_trunk(modality: Modality, outline: Silhouette, cut_sides: frozenset[str]) -> bool:
    wide = np.median(outline.profile_mm()) > WIDEST_RADIUS_MM
    return bool(wide) and (modality is Modality.CT or not fills_view(cut_sides))


def _is_limb(outline: Silhouette) -> bool:
    profile = outline.profile_mm()
    thickest, thinnest = float(profile.max()), float(profile.min())
    even = thickest < LIMB_RADIUS_MM and thinnest > LIMB_EVENNESS * thickest
    return even and len(profile) >= LIMB_HEIGHTS


def _has_bone_inside_only(outline: Silhouette) -> bool:
    bone_ml = np.count_nonzero(outline.body & (outline.values > BONE_HU)) * outline.voxel_ml
    return bool(bone_ml > MOST_BONE_INSIDE_ML) and not has_shell_of_bone(outline)
