"""Which file holds the voxels of a header/image pair.

Names are not known here: uploads and members of an archive are numbered files. So the image is the one file beside the
header that is nothing else we know and is large enough for what the header announces. Several such files are never
chosen between.
"""

from collections.abc import Sequence
from typing import Final

from app.errors import UnsupportedFileError
from app.imaging.files.file_kind import FileKind, kind_of_file
from app.imaging.files.source import Source
from app.imaging.nifti.header import NiftiHeader

DEFLATE_RATIO: Final = 1032
"""Greatest unfolded size per packed byte that deflate can reach: what a gzip may hold, without unfolding it."""


def voxels_beside(header: NiftiHeader, others: Sequence[Source]) -> Source:
    """Finds the image of a pair.

    Args:
        header: Of the pair.
        others: The files of no known kind in the same upload.

    Raises:
        UnsupportedFileError: There is none, or more than one.
    """
    announced = header.vox_offset + header.voxel_bytes
    fitting = [other for other in others if _most_bytes(other) >= announced]
    if len(fitting) != 1:
        raise UnsupportedFileError(
            f"Expected beside the header of a NIfTI pair the one file that holds its {announced} bytes, found "
            f"{len(fitting)} of that size. Send the .hdr and its .img together and nothing else, or save them as one .nii.gz."
        )
    return fitting[0]


def _most_bytes(source: Source) -> int:
    packed = source.size
    return packed * DEFLATE_RATIO if kind_of_file(source) is FileKind.GZIP else packed
