"""Whether what was found is a whole head as a scanner leaves it: findings, or a refusal where it certainly is no head.

All but `slices-alternate` is judged from the coarse values and the mask that `app.imaging.head.find` has read already. `docs/concepts/head.md`
gives every rule with its reason. In the order of the answer:

- `head-not-found`: no body of 100 ml;
- `head-cut-off`: more than 10 mm of the braincase lie outside the image at some side (`app.imaging.head.cut_off`);
- `head-doubtful`: cut off at three sides or more; or a box that no head has; or an outline that is not closed; or, in CT,
  a body larger than a brain without a shell of bone;
- `skull-stripped`: a brain without its skull (`app.imaging.head.skull`), where there is no such doubt and bone is not clipped;
- `windowed-image`: 8 bits, whatever scale was put on them; or at least 2 % of the body at exactly the highest value, as a display window leaves it;
- `slices-alternate`: neighbouring slices differ more than those two apart (`app.imaging.head.alternation`);
- `small-head`: less than 50 cm around, where neither a cut, nor doubt, nor stripping explains it.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool

from app.errors import NotAHeadError
from app.imaging.content import check_values, unmeasured
from app.imaging.head.alternation import alternating
from app.imaging.head.cut_off import in_words, missing_mm
from app.imaging.head.find import SAME_MM, Head
from app.imaging.head.not_a_head import fills_view, what_else
from app.imaging.head.silhouette import Silhouette, silhouette
from app.imaging.head.skull import LARGEST_BRAIN_MM, has_shell_of_bone, is_outermost, is_stripped
from app.imaging.volume import Finding, Modality, Volume

SHORTEST_MM: Final = 100.0
LONGEST_MM: Final = 240.0
LARGEST_RATIO: Final = 1.7
"""Adults' heads are 130 to 170 mm wide and 165 to 215 mm long: a ratio of 1.0 to 1.5, whichever way a head is turned."""
LEAST_CLOSED: Final = 0.7
"""Median radius over half the box's shorter side; an ellipse has more than 1, fragments of a shell far less."""
MOST_AT_MAXIMUM: Final = 0.02
PICTURE_BITS: Final = 8
"""Scanners store 12 bits or more."""
SMALLEST_ADULT_MM: Final = 500.0
"""English women have 552 mm on average (Bushby, Arch Dis Child 1992;67:1286), girls of three years 493 (CDC charts)."""


def judge(volume: Volume, head: Head) -> tuple[Finding, ...]:
    """Says what a model that expects a head must be told about an image.

    Args:
        volume: The image.
        head: What was found in it.

    Raises:
        NotAHeadError: The image certainly shows something else.
        WrongModalityError: Its values are none of its modality's.
    """
    if head.coarse.values.min() == head.coarse.values.max():
        raise _refusal("an image whose voxels are all equal")
    # A DICOM file may say HU and be wrong, as what writes a series anew may lose its intercept; or hide that it shows a phase.
    check_values(head.coarse.values, volume.modality, _filled(volume, head))
    if not head.found:
        return head.findings
    outline, missing = silhouette(volume, head), missing_mm(volume, head)
    something_else = what_else(volume.modality, outline, frozenset(missing))
    if something_else:
        raise _refusal(something_else)
    is_clipped, cut = _is_clipped(head), _cut_off(missing)
    # A window that cuts the values off hides whether there is bone.
    is_ct, shows_bone = volume.modality is Modality.CT, not is_clipped
    doubt = _misshapen(head, outline, frozenset(missing))
    doubt = doubt or (_boneless(outline) if is_ct and shows_bone else None)
    stripped = None if doubt or (is_ct and not shows_bone) else _stripped(volume.modality, outline)
    windowed = _windowed(volume, is_clipped=is_clipped)
    mixed = alternating(volume, head.coarse.lattice)
    small = None if cut or doubt or stripped else _small(volume.modality, outline)
    return tuple(finding for finding in (cut, doubt, stripped, windowed, mixed, small) if finding)


def _filled(volume: Volume, head: Head) -> Bool[np.ndarray, "k j i"]:
    """What is no air though it may seem it: planes of which a scanner measures a circle are axial, however they are stored."""
    height = 2 - int(np.argmax(np.abs(volume.grid.affine[2, :3]) / volume.grid.spacing_mm))
    return np.moveaxis(unmeasured(np.moveaxis(head.coarse.values, height, 0)), 0, height)


def _refusal(found: str) -> NotAHeadError:
    return NotAHeadError(f"Expected an image of a head, found {found}. Send the image of the head.")


def _cut_off(missing: dict[str, float]) -> Finding | None:
    if not missing:
        return None
    return Finding("head-cut-off", f"outside the image lie {in_words(missing)} of the braincase")


def _misshapen(head: Head, outline: Silhouette, cut_sides: frozenset[str]) -> Finding | None:
    short, long = sorted(head.size_mm)
    if fills_view(cut_sides):
        return _doubt("tissue or noise fills the image to its sides; no outline of a head is seen")
    if short < SHORTEST_MM - SAME_MM or long > min(LONGEST_MM, LARGEST_RATIO * short) + SAME_MM:
        return _doubt(
            f"not the proportions of a head: at least {SHORTEST_MM:.0f} mm wide, at most {LONGEST_MM:.0f} mm long and "
            f"at most {LARGEST_RATIO} times as long as wide"
        )
    if np.median(outline.profile_mm()) < LEAST_CLOSED * short / 2:
        return _doubt("fragments without a closed outline")
    return None


def _boneless(outline: Silhouette) -> Finding | None:
    if outline.circumference_mm() <= LARGEST_BRAIN_MM or has_shell_of_bone(outline):
        return None
    return _doubt("larger than a brain, without a shell of bone")


def _doubt(detail: str) -> Finding:
    return Finding("head-doubtful", detail)


def _stripped(modality: Modality, outline: Silhouette) -> Finding | None:
    if not is_stripped(modality, outline):
        return None
    return Finding("skull-stripped", "no skull around the brain; the model expects the whole head")


def _is_clipped(head: Head) -> bool:
    values = head.coarse.values
    return bool(np.mean(values[head.mask] == values.max()) >= MOST_AT_MAXIMUM)


def _windowed(volume: Volume, *, is_clipped: bool) -> Finding | None:
    if volume.stored_bits <= PICTURE_BITS:
        levels = f"stored with {PICTURE_BITS} bits: at most {1 << PICTURE_BITS} grey levels"
        return Finding("windowed-image", levels)
    if not is_clipped:
        return None
    share = f"{MOST_AT_MAXIMUM:.0%} of the head or more"
    return Finding(
        "windowed-image", f"{share} have exactly the highest value, as a display window leaves them"
    )


def _small(modality: Modality, outline: Silhouette) -> Finding | None:
    if outline.circumference_mm() >= SMALLEST_ADULT_MM or not is_outermost(modality, outline):
        return None
    limit = f"{SMALLEST_ADULT_MM / 10:.0f} cm"
    return Finding("small-head", f"less than {limit} around: a child's head, or an unusually small one")
