"""Slices that were sent twice: one copy of each is read, the same one in whatever order the files come.

Copies that came by way of two archives may declare different things of the same pixels. What most slices of the series declare is believed, so
that a few that were sent again by another archive make no second acquisition; that something was lost to compression is believed of any copy.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from app.errors import IrregularGeometryError, MixedSeriesError
from app.imaging.dicom.header import Acquisition, SliceHeader
from app.imaging.dicom.pixels import read_voxels
from app.imaging.limits import ReadLimits
from app.imaging.volume import Modality

SAME_PLACE_MM: Final = 0.01
AT_ONCE: Final = 64
"""Most pairs of copies that are decoded together: a packed file of many frames is unpacked for all of them, not for each."""

Pair = tuple[SliceHeader, SliceHeader]
Said = tuple[Acquisition, str]
"""How a slice was made, and its frame of reference."""


def without_duplicates(
    ordered: Sequence[tuple[float, SliceHeader]], modality: Modality, limits: ReadLimits
) -> list[SliceHeader]:
    """One slice per depth.

    Args:
        ordered: Slices that have a place, with their depths in mm, in the order of these.
        modality: What the voxels mean.
        limits: As `read_voxels` has them.

    Raises:
        IrregularGeometryError: Two at one depth lie beside each other.
        MixedSeriesError: Two at one depth are not the same image.
        RequestError: As `read_voxels`, of slices that are there more than once.
    """
    starts = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(ordered)) if b[0] - a[0] >= SAME_PLACE_MM)]
    ends = [*starts[1:], len(ordered)]
    groups = [[header for _, header in ordered[start:end]] for start, end in zip(starts, ends, strict=True)]
    pairs = [(group[0], other) for group in groups for other in group[1:]]
    form = ordered[0][1].pixel_format
    at_once = max(1, min(AT_ONCE, limits.max_voxels // (2 * form.rows * form.columns)))
    for start in range(0, len(pairs), at_once):
        _check_same(pairs[start : start + at_once], modality, limits)
    declared = Counter(_said(header) for _, header in ordered)
    return [_one_of(group, declared) for group in groups]


def _check_same(pairs: Sequence[Pair], modality: Modality, limits: ReadLimits) -> None:
    if any(_apart_mm(*pair) > SAME_PLACE_MM for pair in pairs):
        raise IrregularGeometryError(
            "Expected slices above each other, found two side by side at one depth. Send one acquisition."
        )
    ones, others = zip(*pairs, strict=True)
    voxels = read_voxels([*ones, *others], modality, limits)
    if not np.array_equal(voxels[: len(pairs)], voxels[len(pairs) :]):
        raise MixedSeriesError(
            "Expected one image at each place, found different images at one (several phases, echoes or "
            "reconstructions). Send one of them."
        )


def _apart_mm(one: SliceHeader, other: SliceHeader) -> float:
    places = [header.placement.image_position_patient for header in (one, other) if header.placement]
    return float(np.linalg.norm(np.ptp(places, axis=0)))


def _said(header: SliceHeader) -> Said:
    return header.acquisition, header.frame_of_reference_uid


def _one_of(copies: Sequence[SliceHeader], declared: Counter[Said]) -> SliceHeader:
    if len(copies) == 1:
        return copies[0]

    def order(header: SliceHeader) -> tuple[int, str, str]:
        """What does not hang on the order of files: how many say the same, and all that is made of what a header says."""
        rest = (header.placement, header.pixel_format, header.rescale_type, header.is_rescaled)
        return declared[_said(header)], repr(_said(header)), repr(rest)

    return replace(max(copies, key=order), is_lossy=any(header.is_lossy for header in copies))
