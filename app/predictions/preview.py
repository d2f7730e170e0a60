"""What is recognised in an upload, before anything is asked of a model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from app.data_folder.upload_store import FILES_NAME, OVERVIEW_NAME, UploadStore
from app.identifiers import uuid7
from app.imaging.deidentify.upload import deidentify, new_key
from app.imaging.load import Loader
from app.imaging.model_grid import ModelGrid
from app.imaging.pictures.overview import write_head_overview_png
from app.predictions.answer import Caution, ImageUsed
from app.predictions.cautions import image_cautions
from app.predictions.document import Document
from app.predictions.summary import image_used


class Preview(Document):
    """An upload as it was read, kept for a while under an id."""

    id: Annotated[
        str, Field(description="UUID version 7 of the upload; the part `upload` of `POST /predict`.")
    ]
    expires: Annotated[datetime, Field(description="When it is removed at the latest, UTC.")]
    image: ImageUsed
    warnings: Annotated[list[Caution], Field(description="What about the image would limit an answer.")]


class Previewer:
    """Reads uploads, draws them, and keeps them for `POST /predict`.

    Args:
        uploads: Where they are kept.
        loader: Where images are read.
        deidentify: Writes what may be kept of them: files, folder, key.
    """

    def __init__(
        self,
        uploads: UploadStore,
        loader: Loader,
        deidentify: Callable[[Sequence[Path], Path, bytes], None] = deidentify,
    ) -> None:
        self._uploads = uploads
        self._loader = loader
        self._deidentify = deidentify

    def preview(self, images: Sequence[Path], spec: ModelGrid, series: str | None, caller: str) -> Preview:
        """Read an upload as a package would, and keep it.

        Args:
            images: Its files; they are left where they are.
            spec: The package's grid.
            series: Series Instance UID of the DICOM series that is meant.
            caller: Who sent it.

        Raises:
            RequestError: As `POST /predict` would refuse the image.
        """
        loaded = self._loader(images, spec, series)
        volume = replace(loaded.volume, findings=(*loaded.volume.findings, *loaded.image.findings))
        upload_id = str(uuid7())
        with self._uploads.writing() as folder:
            loaded.do(partial(write_head_overview_png, spec=spec, path=folder / OVERVIEW_NAME))
            key = new_key()
            (folder / FILES_NAME).mkdir()
            self._deidentify(images, folder / FILES_NAME, key)
            self._uploads.keep(upload_id, folder, key, series, caller)
        return Preview(
            id=upload_id,
            expires=datetime.fromtimestamp(self._uploads.expires_s(upload_id), UTC).replace(microsecond=0),
            image=image_used(volume),
            warnings=image_cautions(volume),
        )
