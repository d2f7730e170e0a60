"""An upload without what leads to the patient: what is kept of it until it is answered, or while it is previewed.

An image that is read from it is the same image, to the last voxel. Archives are unpacked, so that no member's name stays.
What is no image stays as an empty file, so that it is counted; what is broken stays as a beginning that is as broken.
"""

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from isal import igzip

from app.errors import RequestError
from app.imaging.deidentify_dicom import BROKEN, deidentify_dicom
from app.imaging.deidentify_nifti import (
    BROKEN_GZIP,
    copy_voxels,
    deidentify_analyze,
    deidentify_header,
    deidentify_nifti,
    header_of,
)
from app.imaging.file_kind import FileKind, kind_inside, may_be_voxels
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.nifti_header import NiftiHeader
from app.imaging.nifti_pair import voxels_beside
from app.imaging.read import opened
from app.imaging.source import Source

KEY_BYTES: Final = 32
PACKED_OTHER: Final = igzip.compress(BROKEN, 1)
"""A gzip of what is no NIfTI, which is refused."""
IMAGES: Final = (FileKind.DICOM, FileKind.NIFTI, FileKind.NIFTI_PAIR)


class _Pair(NamedTuple):
    header: NiftiHeader
    voxels: Source


def new_key() -> bytes:
    """A key for one upload."""
    return secrets.token_bytes(KEY_BYTES)


def deidentify(paths: Sequence[Path], folder: Path, key: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> None:
    """Write what may be kept of an upload.

    Args:
        paths: Its files.
        folder: Where to; files are numbered.
        key: Of this upload, from `new_key`; `app.imaging.deidentify_dicom.series_uid` finds its series again.
        limits: Bounds on files, bytes and voxels.

    Raises:
        RequestError: An archive that cannot be opened, or too many files, as `app.imaging.read.read_image` says it.
    """
    with opened(paths, limits) as sources:
        kinds = _kinds(sources)
        pair = _pair(sources, kinds, limits)
        for number, (source, kind) in enumerate(zip(sources, kinds, strict=True)):
            target = folder / f"{number:06d}"
            if pair is not None and source is pair.voxels:
                copy_voxels(source, pair.header, target)
            else:
                _write(source, kind, target, limits, key)


def _write(source: Source, kind: FileKind | None, target: Path, limits: ReadLimits, key: bytes) -> None:
    writers: dict[FileKind | None, Callable[[Source, Path], None]] = {
        FileKind.DICOM: partial(deidentify_dicom, limits=limits, key=key),
        FileKind.NIFTI: partial(deidentify_nifti, limits=limits),
        FileKind.NIFTI_PAIR: deidentify_header,
        FileKind.ANALYZE: deidentify_analyze,
    }
    if kind in writers:
        writers[kind](source, target)
    else:
        target.write_bytes({None: BROKEN_GZIP, FileKind.GZIP: PACKED_OTHER}.get(kind, b""))


def _kinds(sources: Sequence[Source]) -> list[FileKind | None]:
    """As the reader sees them: beside the header of a pair, what only begins like a dataset is no slice."""
    kinds = [_kind(source) for source in sources]
    if FileKind.NIFTI_PAIR not in kinds:
        return kinds
    return [
        FileKind.OTHER if kind is FileKind.DICOM and may_be_voxels(source) else kind
        for source, kind in zip(sources, kinds, strict=True)
    ]


def _kind(source: Source) -> FileKind | None:
    """None for a gzip that cannot be unfolded."""
    try:
        return kind_inside(source)
    except RequestError:
        return None


def _pair(sources: Sequence[Source], kinds: Sequence[FileKind | None], limits: ReadLimits) -> _Pair | None:
    """The pair that is read; None where there is none, or its reader refuses it before it looks at a voxel."""
    if [kind for kind in kinds if kind in IMAGES] != [FileKind.NIFTI_PAIR]:
        return None
    others = [source for source, kind in zip(sources, kinds, strict=True) if kind is FileKind.OTHER]
    try:
        header = header_of(sources[kinds.index(FileKind.NIFTI_PAIR)], FileKind.NIFTI_PAIR, limits)
        return _Pair(header, voxels_beside(header, others))
    except RequestError:
        return None
