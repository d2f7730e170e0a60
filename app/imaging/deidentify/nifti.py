"""A NIfTI file without words: its text fields and its extensions are emptied, and nothing stays around the voxels.

What its reader refuses is refused here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from isal import igzip

from app.imaging.decoding_errors import decoding
from app.imaging.files.file_kind import (
    HEAD_BYTES,
    NIFTI1_HEADER_BYTES,
    NIFTI2_HEADER_BYTES,
    FileKind,
    kind_of_file,
    nifti_version,
)
from app.imaging.files.source import Source
from app.imaging.limits import ReadLimits
from app.imaging.nifti.header import NiftiHeader, read_nifti_header
from app.imaging.nifti.read import DECODED, opened_nifti
from app.imaging.nifti.voxels import voxel_blocks

HEADER_BYTES: Final = {1: NIFTI1_HEADER_BYTES, 2: NIFTI2_HEADER_BYTES}
TEXT: Final = {1: ((4, 32), (148, 252), (328, 344)), 2: ((240, 344), (508, 524), (525, 540))}
"""data_type, db_name; descrip, aux_file; intent_name (nifti1.h). descrip, aux_file; intent_name; unused_str (nifti2.h)."""
GZIP_LEVEL: Final = 1


def read_header(source: Source, kind: FileKind, limits: ReadLimits) -> NiftiHeader:
    """Reads a header as its reader does.

    Args:
        source: The file that begins with it, packed or not.
        kind: `NIFTI` or `NIFTI_PAIR`.
        limits: Bounds.

    Raises:
        RequestError: As `read_nifti_header`.
    """
    with decoding(DECODED), opened_nifti(source) as stream:
        return read_nifti_header(stream, kind, limits, labels=False)


def write_header(source: Source, target: Path) -> None:
    """Writes the header of a pair.

    Args:
        source: The file that begins with it, packed or not.
        target: Where to.

    Raises:
        CorruptImageError: A gzip that cannot be unfolded.
        OSError: The target cannot be written.
    """
    header = _header_without_words(source)
    target.write_bytes(header.ljust(HEAD_BYTES, b"\0"))


def write_image(source: Source, header: NiftiHeader, target: Path) -> None:
    """Writes a NIfTI: header and voxels.

    Args:
        source: The file, packed or not.
        header: Its header.
        target: Where to; packed where the source is.

    Raises:
        CorruptImageError: Truncated, or a gzip that cannot be unfolded.
        OSError: The target cannot be written.
    """
    _write(_header_without_words(source), source, header, target)


def write_voxels(source: Source, header: NiftiHeader, target: Path) -> None:
    """Writes the voxels of a pair, at their place and alone.

    Args:
        source: The file that holds them, packed or not.
        header: Of the pair.
        target: Where to; packed anew where the source is packed, as a gzip may hold a file's name.

    Raises:
        CorruptImageError: Truncated, or a gzip that cannot be unfolded.
        OSError: The target cannot be written.
    """
    _write(b"", source, header, target)


def _header_without_words(source: Source) -> bytes:
    with decoding(DECODED), opened_nifti(source) as stream:
        head = stream.read(NIFTI1_HEADER_BYTES)
        version = nifti_version(head) or 2
        kept = bytearray(head + stream.read(HEADER_BYTES[version] - len(head)))
    for start, end in TEXT[version]:
        kept[start:end] = bytes(len(kept[start:end]))
    return bytes(kept)


def _write(begun: bytes, source: Source, header: NiftiHeader, target: Path) -> None:
    with decoding(DECODED), opened_nifti(source) as stream, _packed(target, source) as out:
        out.write(begun)
        out.write(bytes(header.vox_offset - len(begun)))
        for block in voxel_blocks(stream, header):
            out.write(block)


@contextmanager
def _packed(target: Path, source: Source) -> Iterator[Any]:
    with target.open("wb") as file:
        if kind_of_file(source) is not FileKind.GZIP:
            yield file
            return
        with igzip.IGzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as stream:
            yield stream
