"""Slices that were sent twice: one copy of each is read, the same one in whatever order the files come.

Copies that came by way of two archives may declare different things of the same pixels. One that says that it lost something to compression is
taken before one that does not.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from app.errors import IrregularGeometryError, MixedSeriesError
from app.imaging.dicom_header import SliceHeader
from app.imaging.dicom_pixels import read_voxels
from app.imaging.limits import ReadLimits
from app.imaging.volume import Modality

SAME_PLACE_MM: Final = 0.01
AT_ONCE: Final = 64
"""Pairs of copies that are decoded together: a packed file of many frames is unpacked for all of them, not for each."""

Pair = tuple[SliceHeader, SliceHeader]


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
    for start in range(0, len(pairs), AT_ONCE):
        _check_same(pairs[start : start + AT_ONCE], modality, limits)
    return [max(group, key=_declared) if len(group) > 1 else group[0] for group in groups]


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


def _declared(header: SliceHeader) -> tuple[bool, str]:
    """An order of copies that does not hang on that of files: by all that is made of what a header says."""
    said = (header.placement, header.pixel_format, header.rescale_type, header.is_rescaled)
    return header.is_lossy, repr((*said, header.acquisition))
