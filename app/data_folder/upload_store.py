"""Uploads that were previewed, kept for half an hour so that an image travels once.

`<data>/previews/<id>/` holds `files/` (numbered, without what leads to the patient), `key`, by which a series that is named later is
found among them, `series.txt` where one was named before, `caller`, who sent it, and `overview.png`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.data_folder.bounded_folders import BoundedFolders, KeepingLimits
from app.errors import UnknownUploadError, UploadTooLargeError
from app.imaging.deidentify.dicom import series_uid

UPLOAD_AGE_S: Final = 30 * 60.0
FILES_NAME: Final = "files"
KEY_NAME: Final = "key"
CALLER_NAME: Final = "caller"
SERIES_NAME: Final = "series.txt"
OVERVIEW_NAME: Final = "overview.png"


@dataclass(frozen=True)
class KeptUpload:
    """An upload as it is kept.

    Attributes:
        images: Its files.
        series: Series Instance UID, in these files, of the DICOM series that was named with it, if one was.
        key: From `app.imaging.deidentify.upload.new_key`.
    """

    images: tuple[Path, ...]
    series: str | None
    key: bytes

    def series_of(self, original: str) -> str:
        """The Series Instance UID, in these files, of a series that is named as in the files that were sent."""
        return series_uid(original, self.key)


class UploadStore:
    """The kept uploads.

    Args:
        root: `<data>/previews`.
        max_bytes: Of all of them together.
        now: Unix time in seconds.
    """

    def __init__(self, root: Path, max_bytes: int, now: Callable[[], float] = time.time) -> None:
        self._max_bytes = max_bytes
        self._folders = BoundedFolders(root, KeepingLimits(UPLOAD_AGE_S, max_bytes), now)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder in which `keep` finds picture and files; removed when the block ends, unless it was kept."""
        with self._folders.writing() as folder:
            yield folder

    def keep(self, upload_id: str, folder: Path, key: bytes, series: str | None, caller: str) -> None:
        """Keep an upload, whole or not at all.

        Args:
            upload_id: UUID version 7, made for it.
            folder: From `writing`, with the picture, and the files in `FILES_NAME`.
            key: With which they were de-identified.
            series: Series Instance UID that was named, as in the files that were sent.
            caller: Who sent it; empty where nobody was asked for a name.

        Raises:
            UploadTooLargeError: It alone passes the bound on what is kept.
        """
        (folder / KEY_NAME).write_bytes(key)
        (folder / CALLER_NAME).write_text(caller, encoding="utf-8")
        if series is not None:
            (folder / SERIES_NAME).write_text(series_uid(series, key), encoding="utf-8")
        if not self._folders.keep(upload_id, folder):
            raise UploadTooLargeError(
                f"Expected an upload of at most {self._max_bytes} bytes to keep; it has more. Predict without preview.",
                limit=self._max_bytes,
            )

    @contextmanager
    def using(self, upload_id: str) -> Iterator[KeptUpload]:
        """An upload whose files stay while the block runs.

        Raises:
            UnknownUploadError: None with this id is kept.
        """
        with self._folders.using(upload_id) as folder:
            if folder is None:
                raise unknown_upload()
            named = folder / SERIES_NAME
            series = named.read_text(encoding="utf-8") if named.is_file() else None
            images = tuple(sorted((folder / FILES_NAME).iterdir()))
            yield KeptUpload(images, series, (folder / KEY_NAME).read_bytes())

    @contextmanager
    def overview(self, upload_id: str) -> Iterator[Path]:
        """The picture of an upload, which stays while the block runs.

        Raises:
            UnknownUploadError: None with this id is kept.
        """
        with self._folders.using(upload_id) as folder:
            if folder is None:
                raise unknown_upload()
            yield folder / OVERVIEW_NAME

    def caller(self, upload_id: str) -> str:
        """Who sent an upload; empty where nobody was asked for a name.

        Raises:
            UnknownUploadError: None with this id is kept.
        """
        with self._folders.using(upload_id) as folder:
            if folder is None:
                raise unknown_upload()
            return (folder / CALLER_NAME).read_text(encoding="utf-8")

    def expires_s(self, upload_id: str) -> float:
        """Unix time in seconds when an upload is gone at the latest."""
        return self._folders.expires_s(upload_id)

    def delete(self, upload_id: str) -> None:
        """Remove an upload, at once or when the request that reads it is done.

        Raises:
            UnknownUploadError: None with this id is kept.
        """
        if self._folders.find(upload_id) is None:
            raise unknown_upload()
        self._folders.delete(upload_id)

    def sweep(self) -> int:
        """Remove uploads over their time, and what a killed process left; the number of folders removed."""
        return self._folders.sweep()


def unknown_upload() -> UnknownUploadError:
    """The error that says so."""
    return UnknownUploadError(
        "Expected the id of an upload that is still kept; none has this one. Send the image again.",
    )
