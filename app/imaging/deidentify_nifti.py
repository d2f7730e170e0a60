"""A NIfTI file without words: its text fields and its extensions are emptied, and nothing stays around the voxels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from isal import igzip

from app.errors import RequestError
from app.imaging.decoding_errors import decoding
from app.imaging.file_kind import (
    HEAD_BYTES,
    NIFTI1_HEADER_BYTES,
    NIFTI2_HEADER_BYTES,
    FileKind,
    kind_of_file,
    nifti_version,
)
from app.imaging.limits import ReadLimits
from app.imaging.nifti_header import NiftiHeader, read_nifti_header
from app.imaging.source import Source

HEADER_BYTES: Final = {1: NIFTI1_HEADER_BYTES, 2: NIFTI2_HEADER_BYTES}
TEXT: Final = {1: ((4, 32), (148, 252), (328, 344)), 2: ((240, 344), (508, 524), (525, 540))}
"""data_type, db_name; descrip, aux_file; intent_name (nifti1.h). descrip, aux_file; intent_name; unused_str (nifti2.h)."""
KNOWN_BY: Final = ((0, 4), (40, 42))
"""sizeof_hdr and dim[0] of an Analyze header, by which it is known and refused."""
BLOCK_BYTES: Final = 1 << 20
GZIP_LEVEL: Final = 1
BROKEN_GZIP: Final = b"\x1f\x8b"
"""Refused as a damaged image, whatever lies beside it."""


def header_of(source: Source, kind: FileKind, limits: ReadLimits) -> NiftiHeader:
    """Read a header.

    Args:
        source: The file that begins with it, packed or not.
        kind: `NIFTI` or `NIFTI_PAIR`.
        limits: Bounds.

    Raises:
        RequestError: As `read_nifti_header`.
    """
    with decoding("A NIfTI header"), _unpacked(source) as stream:
        return read_nifti_header(stream, kind, limits, labels=False)


def deidentify_nifti(source: Source, target: Path, limits: ReadLimits) -> None:
    """Write header and voxels; of a file that its reader refuses for its header, no more than that.

    Args:
        source: The file, packed or not.
        target: Where to; packed where the source is.
        limits: Bounds.
    """
    try:
        header = header_of(source, FileKind.NIFTI, limits)
    except RequestError:
        deidentify_header(source, target)
        return
    with _rewritten(source, target) as (stream, out):
        begun = _write_header(stream, out)
        out.write(bytes(header.vox_offset - begun))
        stream.read(header.vox_offset - begun)  # extensions, which are bounded
        _copy(stream, out, header.voxel_bytes)


def deidentify_header(source: Source, target: Path) -> None:
    """Write the header alone: of a pair, or of an image that is refused."""
    with _rewritten(source, target) as (stream, out):
        out.write(bytes(HEAD_BYTES - _write_header(stream, out)))


def deidentify_analyze(source: Source, target: Path) -> None:
    """Write what an Analyze header is known by: it is refused, whatever else it says."""
    with _rewritten(source, target) as (stream, out):
        head = stream.read(NIFTI1_HEADER_BYTES)
        kept = bytearray(len(head))
        for start, end in KNOWN_BY:
            kept[start:end] = head[start:end]
        out.write(bytes(kept))


def copy_voxels(source: Source, header: NiftiHeader, target: Path) -> None:
    """Write the voxels of a pair, at their place and alone; what its reader finds damaged stays damaged.

    Args:
        source: The file that holds them, packed or not.
        header: Of the pair.
        target: Where to; packed anew where the source is packed, as a gzip may hold a file's name.
    """
    try:
        with decoding("A NIfTI pair"), _unpacked(source) as stream, _packed(target, source) as out:
            stream.seek(header.vox_offset)
            out.write(bytes(header.vox_offset))
            _copy(stream, out, header.voxel_bytes)
    except RequestError:
        # Not a part of them: that would be too small for the header, which is refused by another code.
        target.write_bytes(BROKEN_GZIP)


def _write_header(stream: IO[bytes], out: IO[bytes]) -> int:
    head = stream.read(NIFTI1_HEADER_BYTES)
    version = nifti_version(head) or 2
    kept = bytearray(head + stream.read(HEADER_BYTES[version] - len(head)))
    for start, end in TEXT[version]:
        kept[start:end] = bytes(len(kept[start:end]))
    out.write(bytes(kept))
    return len(kept)


def _copy(stream: IO[bytes], out: IO[bytes], count: int) -> None:
    while count and (block := stream.read(min(BLOCK_BYTES, count))):
        count -= len(block)
        if not count:  # before the last block is written, so that it is missed where this fails
            stream.read(1)  # as the reader does: at the end of a gzip file this checks its CRC
        out.write(block)
    if count:
        raise EOFError


@contextmanager
def _rewritten(source: Source, target: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The unpacked source, and the target; where the source breaks off, so does the target, and its reader says so."""
    try:
        with decoding("A NIfTI file"), _unpacked(source) as stream, _packed(target, source) as out:
            yield stream, out
    except RequestError:
        return


@contextmanager
def _unpacked(source: Source) -> Iterator[IO[bytes]]:
    with source.open() as file:
        if kind_of_file(source) is not FileKind.GZIP:
            yield file
            return
        with decoding("A gzip file"), igzip.open(file, "rb") as stream:
            yield stream


@contextmanager
def _packed(target: Path, source: Source) -> Iterator[Any]:
    with target.open("wb") as file:
        if kind_of_file(source) is not FileKind.GZIP:
            yield file
            return
        with igzip.IGzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as stream:
            yield stream
