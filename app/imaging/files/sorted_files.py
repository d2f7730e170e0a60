"""What the files of an upload are to each other, before a voxel is read: one NIfTI, a header and its image, or DICOM files.

Other files among them are left out. What cannot be one image is refused here, by its reader and by whoever keeps it alike.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.errors import MixedSeriesError, UnsupportedFileError
from app.imaging.files.file_kind import FileKind, kind_inside, may_be_voxels
from app.imaging.files.source import Source

ANALYZE_REMEDY: Final = (
    "Analyze 7.5 does not say which side is left: convert the image from its DICOM files to NIfTI."
)


@dataclass(frozen=True)
class SortedFiles:
    """The files of one image.

    Attributes:
        slices: DICOM files, one series or more; empty where the image is a NIfTI.
        nifti: The one NIfTI, or the header of the one pair; None where the image is DICOM.
        is_pair: Whether `nifti` is the header of a pair.
        others: Files of no known kind; the image of a pair is one of them.
    """

    slices: Sequence[Source]
    nifti: Source | None
    is_pair: bool
    others: Sequence[Source]


def sort_files(sources: Sequence[Source]) -> SortedFiles:
    """Tells what each file is, by its first bytes.

    Args:
        sources: In any order.

    Raises:
        CorruptImageError: A gzip that cannot be unfolded; it may be a part of the image.
        MixedSeriesError: More than one NIfTI, or NIfTI and DICOM.
        UnsupportedFileError: No image at all, or slices that are packed one by one; to leave them out would make a hole.
    """
    kinds: dict[FileKind, list[Source]] = defaultdict(list)
    for source in sources:
        kinds[kind_inside(source)].append(source)
    if kinds[FileKind.NIFTI_PAIR]:
        _free_voxels(kinds)
    slices, pairs = kinds[FileKind.DICOM], kinds[FileKind.NIFTI_PAIR]
    niftis = [*kinds[FileKind.NIFTI], *pairs]
    if (slices and niftis) or len(niftis) > 1:
        raise MixedSeriesError(
            f"Expected one NIfTI or one DICOM series, found {len(niftis)} NIfTI and {len(slices)} DICOM files. "
            "Send only the image that is meant."
        )
    if kinds[FileKind.PACKED_DICOM] or not (slices or niftis):
        raise _unsupported(kinds)
    return SortedFiles(slices, niftis[0] if niftis else None, bool(pairs), kinds[FileKind.OTHER])


def _free_voxels(kinds: dict[FileKind, list[Source]]) -> None:
    """Beside the header of a pair, what only begins like a dataset may be its voxels."""
    taken = kinds[FileKind.DICOM]
    kinds[FileKind.OTHER] += [source for source in taken if may_be_voxels(source)]
    kinds[FileKind.DICOM] = [source for source in taken if not may_be_voxels(source)]


def _unsupported(kinds: dict[FileKind, list[Source]]) -> UnsupportedFileError:
    found = ", ".join(f"{len(files)} {kind}" for kind, files in kinds.items() if files) or "nothing"
    remedy = "Other formats (MGH, NRRD, MetaImage, MINC, tar) are not read: convert the image to NIfTI, or send its DICOM files."
    if kinds[FileKind.ANALYZE]:
        remedy = ANALYZE_REMEDY
    elif kinds[FileKind.PACKED_DICOM]:
        remedy = "Unpack the DICOM files and send them as they are, or all in one zip."
    elif kinds[FileKind.ZIP]:
        remedy = "A zip within a zip is not opened: send the inner one."
    return UnsupportedFileError(
        f"Expected one NIfTI (.nii, .nii.gz, or .hdr and .img), DICOM files or one zip of either, found: {found}. {remedy}"
    )
