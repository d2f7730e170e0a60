"""An upload without what leads to the patient: what is kept of it until it is answered, or while it is previewed.

An image that is read from it is the same image, to the last voxel. Archives are unpacked, so that no member's name stays.
What is no image stays as an empty file, so that it is counted. What can be refused before a voxel is looked at is refused
here, so that nothing of it is kept.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.imaging.deidentify.dicom import deidentify_dicom
from app.imaging.deidentify.nifti import read_header, write_header, write_image, write_voxels
from app.imaging.files.file_kind import FileKind
from app.imaging.files.sorted_files import sort_files
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.nifti.pair import voxels_beside
from app.imaging.read import opened

KEY_BYTES: Final = 32


def new_key() -> bytes:
    """A key for one upload."""
    return secrets.token_bytes(KEY_BYTES)


def deidentify(paths: Sequence[Path], folder: Path, key: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> None:
    """Write what may be kept of an upload.

    Args:
        paths: Its files.
        folder: Where to; files are numbered. After an error it holds a part of them, to be removed.
        key: Of this upload, from `new_key`; `app.imaging.deidentify.dicom.series_uid` finds its series again.
        limits: Bounds on files, bytes and voxels.

    Raises:
        RequestError: As `app.imaging.read.read_image` says it, of whatever does not need the voxels' values: archives, what
            the files are, headers of NIfTI, voxels that are missing.
        OSError: A file cannot be written.
    """
    with opened(paths, limits) as sources:
        targets = {source: folder / f"{number:06d}" for number, source in enumerate(sources)}
        files = sort_files(sources)
        if files.nifti is None:
            for source in files.slices:
                deidentify_dicom(source, targets.pop(source), limits, key)
        elif files.is_pair:
            header = read_header(files.nifti, FileKind.NIFTI_PAIR, limits)
            voxels = voxels_beside(header, files.others)
            write_header(files.nifti, targets.pop(files.nifti))
            write_voxels(voxels, header, targets.pop(voxels))
        else:
            header = read_header(files.nifti, FileKind.NIFTI, limits)
            write_image(files.nifti, header, targets.pop(files.nifti))
        for target in targets.values():
            target.write_bytes(b"")
