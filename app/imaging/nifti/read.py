"""One NIfTI (NIfTI-1 or 2, one file or a header/image pair, gzip or not, either byte order, scaled or not) to a Volume.

The stored lattice is kept as it is: shear, flips and axis order included. `nifti.header` says what is refused,
`nifti.affine` which of the file's matrices counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final

import numpy as np
from isal import igzip
from jaxtyping import Real

from app.imaging.decoding_errors import decoding
from app.imaging.files.file_kind import FileKind, kind_of_file
from app.imaging.files.source import Source
from app.imaging.limits import ReadLimits
from app.imaging.nifti.header import NiftiHeader, read_nifti_header
from app.imaging.nifti.pair import voxels_beside
from app.imaging.nifti.voxels import read_voxels
from app.imaging.volume import Grid, Modality, Volume

DECODED: Final = "The NIfTI image"
"""What is read, in the words of a refusal."""


def read_nifti(source: Source, *, modality: Modality, limits: ReadLimits, labels: bool = False) -> Volume:
    """Reads one file; checks form and geometry, not whether the values suit the modality.

    Args:
        source: A single-file NIfTI.
        modality: What the voxels mean.
        limits: Bounds.
        labels: Whether a label image is what is asked for.

    Raises:
        UnsupportedFileError: Not a single-file NIfTI, or voxels that are not real numbers of an image.
        CorruptImageError: Truncated or contradictory.
        ArchiveTooLargeError: More voxels than allowed.
        IrregularGeometryError: No orientation, or an impossible one.
        NoUsableSeriesError: Not one three-dimensional image.
    """
    with decoding(DECODED), opened_nifti(source) as stream:
        header = read_nifti_header(stream, FileKind.NIFTI, limits, labels=labels)
        return _volume(header, read_voxels(stream, header), modality)


def read_nifti_pair(
    source: Source, others: Sequence[Source], *, modality: Modality, limits: ReadLimits
) -> Volume:
    """Reads a header and the image that lies among other files.

    Args:
        source: The header.
        others: The files of no known kind in the same upload.
        modality: What the voxels mean.
        limits: Bounds.

    Raises:
        RequestError: As `read_nifti`; `UnsupportedFileError` also where the image is not to be found.
    """
    with decoding(DECODED):
        with opened_nifti(source) as stream:
            header = read_nifti_header(stream, FileKind.NIFTI_PAIR, limits, labels=False)
        with opened_nifti(voxels_beside(header, others)) as stream:
            return _volume(header, read_voxels(stream, header), modality)


@contextmanager
def opened_nifti(source: Source) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where it is gzip."""
    with source.open() as stream:
        if kind_of_file(source) is FileKind.GZIP:
            with igzip.open(stream, "rb") as unpacked:
                yield unpacked
        else:
            yield stream


def _volume(header: NiftiHeader, voxels: Real[np.ndarray, "I J K"], modality: Modality) -> Volume:
    affine = header.affine
    return Volume(
        voxels=voxels,
        step_i=affine[:3, 0],
        step_j=affine[:3, 1],
        slice_origins=affine[:3, 3] + np.arange(header.shape[2])[:, None] * affine[:3, 2],
        grid=Grid(header.shape, affine),
        modality=modality,
        findings=header.findings,
        stored_bits=8 * header.stored.itemsize,
    )
