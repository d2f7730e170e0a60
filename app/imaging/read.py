"""The door: uploaded files to one Volume. What a file is, is decided by its first bytes; names and order never matter.

Accepted: one NIfTI (one file, or a header and its image), or DICOM files, or one zip of either. Other files among them are
left out and counted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.errors import IrregularGeometryError, MalformedRequestError, NoUsableSeriesError, UploadTooLargeError
from app.imaging.content import check_values, cleaned, finite
from app.imaging.dicom.read import read_dicom
from app.imaging.dicom.series import FEWEST_SLICES, Wanted
from app.imaging.files.archive import members_of
from app.imaging.files.file_kind import FileKind, kind_of_file
from app.imaging.files.sorted_files import SortedFiles, sort_files
from app.imaging.files.source import DiskFile, Source
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits
from app.imaging.nifti.read import read_nifti, read_nifti_pair
from app.imaging.volume import Finding, Modality, Volume

LONGEST_AXIS: Final = 32767
"""Voxels along an axis that a NIfTI-1 can count (nifti1.h, `dim`), as which heatmaps are written."""


def read_image(
    paths: Sequence[Path],
    *,
    modality: Modality,
    limits: ReadLimits = DEFAULT_LIMITS,
    series: str | None = None,
) -> Volume:
    """Reads the one image among files.

    Args:
        paths: Files by any names in any order; the same bytes always give the same volume.
        modality: What the task needs.
        limits: Bounds on files, bytes and voxels.
        series: Series Instance UID of the DICOM series that is meant; None leaves the choice to the rules of
            `app.imaging.dicom.series`.

    Raises:
        RequestError: Always one of its leaves, whatever the bytes are.
    """
    with opened(paths, limits) as sources:
        return read_sources(sources, Wanted(modality, series), limits)


@contextmanager
def opened(paths: Sequence[Path], limits: ReadLimits) -> Iterator[Sequence[Source]]:
    """The files themselves, or those in the one archive.

    Raises:
        UploadTooLargeError: Too many of them.
        MalformedRequestError: An archive that does not come alone.
        RequestError: As `members_of`.
    """
    if len(paths) > limits.max_files:
        raise UploadTooLargeError(
            f"Expected at most {limits.max_files} files, found {len(paths)}. Send one series.",
            limit=limits.max_files,
        )
    files = [DiskFile(path) for path in paths]
    if not any(kind_of_file(file) is FileKind.ZIP for file in files):
        yield files
        return
    if len(files) > 1:
        raise MalformedRequestError(
            f"Expected one archive and nothing beside it, found {len(files)} files. Send everything in one zip."
        )
    with members_of(paths[0], limits) as members:
        yield members


def read_sources(sources: Sequence[Source], wanted: Wanted, limits: ReadLimits) -> Volume:
    """Reads the one image among files that `opened` gave.

    Raises:
        RequestError: As `read_image`.
    """
    files = sort_files(sources)
    if files.nifti is None:
        volume = finite(read_dicom(files.slices, wanted, limits, len(sources)))
    else:
        volume = _read_nifti(files, files.nifti, len(sources), wanted.modality, limits)
    if max(volume.grid.shape) > LONGEST_AXIS:
        raise IrregularGeometryError(
            f"Expected at most {LONGEST_AXIS} voxels along an axis, found {max(volume.grid.shape)}. Send the image as it was acquired."
        )
    return volume


def read_mask(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Reads a label image on a patient's grid (NIfTI); its values are not checked against any modality."""
    return read_nifti(DiskFile(path), modality=Modality.MR, limits=limits, labels=True)


def _read_nifti(
    files: SortedFiles, nifti: Source, sent: int, modality: Modality, limits: ReadLimits
) -> Volume:
    """Reads the one NIfTI there is, and judges what a DICOM would say of itself."""
    if files.is_pair:
        volume = read_nifti_pair(nifti, files.others, modality=modality, limits=limits)
    else:
        volume = read_nifti(nifti, modality=modality, limits=limits)
    volume = cleaned(volume)
    _check_extent(volume)
    check_values(volume.voxels, volume.modality)
    left_out = sent - (2 if files.is_pair else 1)
    if not left_out:
        return volume
    finding = Finding(
        "files-ignored", f"{left_out} of {sent} files are no part of the image and were left out"
    )
    return replace(volume, findings=(*volume.findings, finding))


def _check_extent(volume: Volume) -> None:
    if min(volume.voxels.shape) < FEWEST_SLICES:
        raise NoUsableSeriesError(
            f"Expected at least {FEWEST_SLICES} voxels along every axis, found {min(volume.voxels.shape)}. "
            "Send the whole image."
        )
