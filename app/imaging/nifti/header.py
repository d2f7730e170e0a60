"""The header of a NIfTI-1 or NIfTI-2, single file or pair, either byte order: what must hold before a voxel is read.

Fields are nifti1.h's. A fourth axis of length 1 is dropped. Refused by name: a time series, complex numbers, colours and
128-bit floats (whose bytes have no one meaning), statistics and vector fields (by `intent_code`), and label images where
an image is asked for.
"""

from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from jaxtyping import Float64
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from app.errors import ArchiveTooLargeError, CorruptImageError, NoUsableSeriesError, UnsupportedFileError
from app.imaging.files.file_kind import (
    AXES,
    HEAD_BYTES,
    NIFTI1_HEADER_BYTES,
    NIFTI2_HEADER_BYTES,
    FileKind,
    byte_order,
    kind_of,
    nifti_version,
)
from app.imaging.limits import MEBIBYTE, ReadLimits
from app.imaging.nifti.affine import index_to_ras_mm
from app.imaging.volume import Finding

REAL_TYPES: Final = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
"""`datatype` of real numbers, as numpy writes them."""
STATISTICS: Final = range(2, 25)
"""NIFTI_INTENT_CORREL to NIFTI_INTENT_LOG10PVAL."""
LABELS: Final = (1002, 1003)
"""NIFTI_INTENT_LABEL, NIFTI_INTENT_NEURONAME."""
FIELDS: Final = range(1004, 1011)
"""NIFTI_INTENT_GENMATRIX to NIFTI_INTENT_QUATERNION: one number of a matrix, vector or mesh per voxel."""
MOST_EXTENSION_BYTES: Final = 16 * MEBIBYTE
"""Between header and voxels; real extensions are text of some kilobytes, and a gzip must be unfolded to pass them."""
SPACE: Final = 3


@dataclass(frozen=True)
class NiftiHeader:
    """What a header says, checked.

    Attributes:
        shape: Voxels along (i, j, k).
        affine: Index to RAS mm.
        findings: What was noticed about the orientation.
        stored: Type and byte order of a stored voxel.
        vox_offset: Bytes before the first voxel, in the file that holds the voxels.
        slope: `scl_slope`; None where nothing is scaled.
        inter: `scl_inter`.
    """

    shape: tuple[int, int, int]
    affine: Float64[np.ndarray, "4 4"]
    findings: tuple[Finding, ...]
    stored: np.dtype[Any]
    vox_offset: int
    slope: float | None
    inter: float | None

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all voxels as stored."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.stored.itemsize


def read_nifti_header(stream: IO[bytes], kind: FileKind, limits: ReadLimits, *, labels: bool) -> NiftiHeader:
    """Reads the header and nothing else; a gzip of something else ends here, before it unfolds.

    Args:
        stream: At the beginning of the file.
        kind: `NIFTI` or `NIFTI_PAIR`, whichever is expected.
        limits: Bounds.
        labels: Whether a label image is what is asked for.

    Raises:
        UnsupportedFileError: Another kind of file, or voxels that are not real numbers of an image.
        CorruptImageError: Contradictory.
        ArchiveTooLargeError: More voxels than allowed.
        IrregularGeometryError: No orientation, or an impossible one.
        NoUsableSeriesError: Not one three-dimensional image.
    """
    head = stream.read(HEAD_BYTES)
    found = kind_of(head)
    if found is not kind:
        raise UnsupportedFileError(
            f"Expected one {kind} (.nii, .nii.gz, or .hdr and .img together), found: {found}. "
            "Save header and image as one .nii.gz and send that."
        )
    header = _parsed(head)
    stored = _stored_type(header)
    _check_intent(int(header["intent_code"]), labels=labels)
    shape = _spatial_shape(header, limits)
    affine, findings = index_to_ras_mm(header, shape)
    offset = _vox_offset(header, kind)
    return NiftiHeader(shape, affine, findings, stored, offset, *header.get_slope_inter())


def _parsed(head: bytes) -> Nifti1Header:
    # The byte order is told: nibabel would guess it from `dim[0]`, which may be what is broken.
    if nifti_version(head) == 1:
        return Nifti1Header(head[:NIFTI1_HEADER_BYTES], byte_order(head), check=False)
    return Nifti2Header(head[:NIFTI2_HEADER_BYTES], byte_order(head), check=False)


def _stored_type(header: Nifti1Header) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code not in REAL_TYPES:
        raise UnsupportedFileError(
            f"Expected voxels that are real numbers, found the NIfTI data type {header.get_value_label('datatype')}. "
            "Send the magnitude or a grey-scale image."
        )
    return np.dtype(REAL_TYPES[code]).newbyteorder(header.endianness)


def _check_intent(code: int, *, labels: bool) -> None:
    if code in STATISTICS or code in FIELDS or (code in LABELS and not labels):
        raise UnsupportedFileError(
            f"Expected an image, found a statistical map, a vector field or labels (intent_code {code}). "
            "Send the image that was acquired."
        )


def _spatial_shape(header: Nifti1Header, limits: ReadLimits) -> tuple[int, int, int]:
    if int(header["dim"][0]) not in AXES:
        raise CorruptImageError(
            "The NIfTI header says no number of axes from 1 to 7. Export the image again."
        )
    shape = tuple(int(n) for n in header.get_data_shape())
    if any(n < 1 for n in shape):
        raise CorruptImageError("The NIfTI header has an axis without voxels. Export the image again.")
    if len(shape) < SPACE or any(n > 1 for n in shape[SPACE:]):
        raise NoUsableSeriesError(
            f"Expected one three-dimensional image, found an image with {len(shape)} axes and "
            f"{int(np.prod(shape[SPACE:], dtype=object))} frames. Send one volume, not a slice or a time series."
        )
    voxels = shape[0] * shape[1] * shape[2]
    if voxels > limits.max_voxels:
        raise ArchiveTooLargeError(
            f"Expected at most {limits.max_voxels} voxels, found {voxels} in the header. Send a smaller image.",
            limit=limits.max_voxels,
        )
    return shape[0], shape[1], shape[2]


def _vox_offset(header: Nifti1Header, kind: FileKind) -> int:
    offset = float(header["vox_offset"])
    least = int(header["sizeof_hdr"]) if kind is FileKind.NIFTI else 0
    if not least <= offset <= least + MOST_EXTENSION_BYTES:
        raise CorruptImageError(
            f"Expected voxels {least} to {least + MOST_EXTENSION_BYTES} bytes into the file, found vox_offset "
            f"{offset:.0f}. Save the image again."
        )
    return int(offset)
