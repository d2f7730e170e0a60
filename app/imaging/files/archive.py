"""One zip as the files in it, within limits; they are unfolded into memory where they are read, and nothing on disk.

A member's name is never used, so no name can lead anywhere. A link is a file that holds the link's words and is never
followed. How long the archive's directory is, is known before it is read; what all members unfold to by its word is
bounded before any is unfolded, and no member unfolds to more (`app.imaging.files.zip_member`). Encryption and rare compressions
are refused: what a head image is packed with is stored or deflated.

An archive in an archive is never unfolded. It is left out and counted like any other file that is no image, be it a
viewer's `.jar` on a patient's CD or what file managers add (`__MACOSX/`, `.DS_Store`, `Thumbs.db`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from app.errors import ArchiveTooLargeError, CorruptImageError, UnsupportedFileError, UploadTooLargeError
from app.imaging.decoding_errors import decoding
from app.imaging.files.zip_directory import NamelessZip, declared_size
from app.imaging.files.zip_member import ZipMember
from app.imaging.limits import ReadLimits

ENCRYPTED: Final = 0x1
"""Bit 0 of a member's general purpose flags (APPNOTE 4.4.4)."""
DIRECTORY_BYTES_PER_FILE: Final = 512
"""An entry of a zip's directory has 46 bytes, its name, and some 36 of times and owners."""


@contextmanager
def members_of(archive: Path, limits: ReadLimits) -> Iterator[Sequence[ZipMember]]:
    """Opens a zip; its members can be read until it is closed.

    Raises:
        ArchiveTooLargeError: It unfolds to more than the limit, or by more than the ratio.
        UploadTooLargeError: Too many members.
        UnsupportedFileError: Encrypted or oddly compressed.
        CorruptImageError: Broken, or not alone in its file.
    """
    with NamelessZip(FileIO(archive)) as file:
        _check_directory(archive, limits)
        with decoding("The zip archive"), ZipFile(file) as opened:
            listed = opened.infolist()
        _check_begin(listed)
        entries = [entry for entry in listed if not entry.is_dir()]
        _check_form(entries, limits)
        _check_unfolded(entries, archive.stat().st_size, limits)
        yield [ZipMember(file.fileno(), entry) for entry in entries]


def _check_directory(archive: Path, limits: ReadLimits) -> None:
    """Refuses an archive of too many members before an object is made for each; the lesser number may lie."""
    declared = declared_size(archive)
    if declared is None:
        return
    if declared.entries > limits.max_files:
        raise _too_many_members(declared.entries, limits)
    if declared.length_bytes > limits.max_files * DIRECTORY_BYTES_PER_FILE:
        raise UploadTooLargeError(
            f"Expected a directory of at most {limits.max_files * DIRECTORY_BYTES_PER_FILE} bytes in the archive, "
            f"found {declared.length_bytes}. Send one series.",
            limit=limits.max_files * DIRECTORY_BYTES_PER_FILE,
        )


def _too_many_members(found: int, limits: ReadLimits) -> UploadTooLargeError:
    return UploadTooLargeError(
        f"Expected at most {limits.max_files} files in the archive, found {found}. Send one series.",
        limit=limits.max_files,
    )


def _check_begin(listed: Sequence[ZipInfo]) -> None:
    """Refuses an archive behind another one: a directory lists only what lies before it in its own, and the first archive's slices would be lost."""
    if min((entry.header_offset for entry in listed), default=0) > 0:
        raise CorruptImageError(
            "Expected one archive whose directory lists it from its first byte, found other content before what is listed, as where archives are "
            "joined end to end. Pack all files into one archive."
        )


def _check_form(entries: Sequence[ZipInfo], limits: ReadLimits) -> None:
    if len(entries) > limits.max_files:
        raise _too_many_members(len(entries), limits)
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise UnsupportedFileError(
            "Expected an open archive, found an encrypted one. Send it without a password."
        )
    if any(entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for entry in entries):
        raise UnsupportedFileError(
            "Expected stored or deflated members, found another compression. Pack it again."
        )


def _check_unfolded(entries: Sequence[ZipInfo], packed_bytes: int, limits: ReadLimits) -> None:
    """Bounds what all members may unfold to; one that says less than it holds is cut there and found damaged."""
    by_ratio = max(limits.max_archive_ratio * packed_bytes, limits.ratio_free_bytes)
    allowed = min(limits.max_archive_bytes, int(by_ratio))
    if sum(entry.file_size for entry in entries) > allowed:
        raise ArchiveTooLargeError(
            f"Expected an archive that unfolds to at most {allowed} bytes, found more. "
            "Send fewer or smaller files.",
            limit=allowed,
        )
