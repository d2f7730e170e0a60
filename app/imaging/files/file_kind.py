"""What a file is, by its first bytes. A name says nothing: the same bytes under any name are the same file."""

import re
import struct
from enum import StrEnum

from isal import igzip
from pydicom.uid import DeflatedExplicitVRLittleEndian

from app.imaging.decoding_errors import decoding
from app.imaging.files.source import Source

DICOM_PREAMBLE_BYTES = 128
"""PS3.10 section 7.1: a preamble of 128 bytes, then `DICM`."""
BARE_BYTES = 132
BARE_GROUP, BARE_LAST_ELEMENT = 0x0008, 0x0018
"""Identifying group up to SOP Instance UID; what comes before a dataset's first such element is nothing."""
BARE_REPRESENTATIONS = (b"CS", b"DA", b"SH", b"TM", b"UI", b"UL")
BARE_META = re.compile(rb"\x02\0.\0(?:OB|UI|UL)", re.DOTALL)
"""An element of the file meta group, always written so (PS3.10 7.1), which some programs write without what belongs before it."""
BARE_LONGEST = 128
"""Bytes of an implicit first element: character sets, image types and UIDs are shorter."""
NIFTI1_HEADER_BYTES = 348
NIFTI2_HEADER_BYTES = 540
DEFLATED = DeflatedExplicitVRLittleEndian.encode()
HEAD_BYTES = NIFTI2_HEADER_BYTES
"""Enough of a file's beginning to know every kind below."""
AXES = range(1, 8)
"""What `dim[0]` of a NIfTI or an Analyze header may say."""


class FileKind(StrEnum):
    """Kinds that are told apart."""

    DICOM = "DICOM"
    NIFTI = "NIfTI"
    NIFTI_PAIR = "NIfTI header of a header/image pair"
    ANALYZE = "Analyze 7.5 header"
    GZIP = "gzip"
    PACKED_DICOM = "DICOM in gzip"
    ZIP = "zip"
    OTHER = "other"


_READ_THROUGH_GZIP = {FileKind.NIFTI, FileKind.NIFTI_PAIR, FileKind.ANALYZE, FileKind.OTHER}


def kind_of(head: bytes) -> FileKind:
    """Names the kind of a file from its first `HEAD_BYTES` bytes."""
    if _has_preamble(head) or _is_bare_dataset(head):
        return FileKind.DICOM
    if head[:2] == b"\x1f\x8b":
        return FileKind.GZIP
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return FileKind.ZIP
    return _nifti_kind(head)


def kind_of_file(source: Source) -> FileKind:
    """Names the kind of a file."""
    return kind_of(source.head(HEAD_BYTES))


def kind_inside(source: Source) -> FileKind:
    """Names the kind of a file, looking through one gzip: a NIfTI or a part of one is what it is, packed or not.

    Raises:
        CorruptImageError: A gzip that cannot be unfolded.
    """
    outside = kind_of_file(source)
    if outside is not FileKind.GZIP:
        return outside
    with decoding("A gzip file"), source.open() as packed, igzip.open(packed, "rb") as stream:
        inside = kind_of(stream.read(HEAD_BYTES))
    if inside is FileKind.DICOM:
        return FileKind.PACKED_DICOM
    return inside if inside in _READ_THROUGH_GZIP else FileKind.GZIP


def may_be_voxels(source: Source) -> bool:
    """Whether a file taken for DICOM only begins like a dataset without preamble, as a few dark voxels may."""
    return not _has_preamble(source.head(HEAD_BYTES))


def nifti_version(head: bytes) -> int:
    """1 or 2 from `sizeof_hdr` in either byte order, 0 where it is neither."""
    if len(head) < NIFTI1_HEADER_BYTES:
        return 0
    sizes = {*struct.unpack("<i", head[:4]), *struct.unpack(">i", head[:4])}
    if NIFTI1_HEADER_BYTES in sizes:
        return 1
    return 2 if NIFTI2_HEADER_BYTES in sizes and len(head) >= NIFTI2_HEADER_BYTES else 0


def byte_order(head: bytes) -> str:
    """`<` or `>`: the order in which a NIfTI's `sizeof_hdr` makes sense."""
    (little,) = struct.unpack("<i", head[:4])
    return "<" if little in {NIFTI1_HEADER_BYTES, NIFTI2_HEADER_BYTES} else ">"


def _has_preamble(head: bytes) -> bool:
    return head[DICOM_PREAMBLE_BYTES : DICOM_PREAMBLE_BYTES + 4] == b"DICM"


def _is_bare_dataset(head: bytes) -> bool:
    """DICOM without preamble: a dataset that begins with group 0008, as old archives hold it, or file meta alone before it.

    The dataset's first element says how it is written: a value representation of text in either byte order, or implicitly a short
    length. (0008,00xx) in other formats' first bytes is not known.
    """
    if len(head) < BARE_BYTES:
        return False
    if BARE_META.match(head):
        return DEFLATED not in head  # which is inflated within limits behind a preamble only
    for order in "<>":
        group, element, length = struct.unpack(f"{order}HHI", head[:8])
        if group == BARE_GROUP and element <= BARE_LAST_ELEMENT:
            return head[4:6] in BARE_REPRESENTATIONS or (order == "<" and length <= BARE_LONGEST)
    return False


def _nifti_kind(head: bytes) -> FileKind:
    version = nifti_version(head)
    magic = {0: b"", 1: head[344:348], 2: head[4:8]}[version]
    if magic in {b"n+1\0", b"n+2\0"}:
        return FileKind.NIFTI
    if magic in {b"ni1\0", b"ni2\0"}:
        return FileKind.NIFTI_PAIR
    return FileKind.ANALYZE if version == 1 and _has_axes(head) else FileKind.OTHER


def _has_axes(head: bytes) -> bool:
    """Whether `dim[0]`, which Analyze 7.5 and NIfTI-1 share, counts axes: 348 alone may be a voxel of anything."""
    return bool(struct.unpack(f"{byte_order(head)}h", head[40:42])[0] in AXES)
