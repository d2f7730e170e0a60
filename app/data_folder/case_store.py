"""What is kept of a case beside its answer, for a bounded time: enough to ask again with another record, and to look.

`<data>/cases/<id>/` holds `tensor.npy` (the image on the model grid), `record.json` (the record as it was sent) and,
only where the request asked for it, `image.nii.gz` (the image on the patient's grid). No name, identifier of a DICOM
header or file name is among them; the answer itself, with the record as encoded, is in the record store.
"""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from app.data_folder.bounded_folders import BoundedFolders, KeepingLimits
from app.errors import CaseExpiredError

TENSOR_NAME: Final = "tensor.npy"
RECORD_NAME: Final = "record.json"
IMAGE_NAME: Final = "image.nii.gz"


@dataclass(frozen=True)
class KeptCase:
    """A case as it is kept.

    Attributes:
        image: [D, H, W] on the package's model grid, as the network saw it.
        record: The record as it was sent.
    """

    image: Float32[np.ndarray, "D H W"]
    record: Mapping[str, Any]


class CaseStore:
    """The kept cases, by the id of their prediction.

    Args:
        root: `<data>/cases`.
        limits: How long and how much.
        now: Unix time in seconds.
    """

    def __init__(self, root: Path, limits: KeepingLimits, now: Callable[[], float] = time.time) -> None:
        self._folders = BoundedFolders(root, limits, now)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder on the same disk for the files of one request; removed when the block ends, unless `keep` took it."""
        with self._folders.writing() as folder:
            yield folder

    def keep(
        self,
        prediction_id: str,
        case: KeptCase,
        folder: Path,
        write_image: Callable[[Path], None] | None = None,
    ) -> None:
        """Keep a case, whole or not at all.

        Args:
            prediction_id: UUID version 7 of its answer.
            case: Tensor and record.
            folder: From `writing`, empty; it is taken.
            write_image: Writes the image as it was read to the file it is given, where it is to be looked at.
        """
        # By way of memory: of a full disk NumPy's own writing raises an OSError without its number, which nobody takes for one.
        np.save(file := io.BytesIO(), case.image, allow_pickle=False)
        (folder / TENSOR_NAME).write_bytes(file.getbuffer())
        (folder / RECORD_NAME).write_text(json.dumps(dict(case.record)), encoding="utf-8")
        if write_image is not None:
            write_image(folder / IMAGE_NAME)
        self._folders.keep(prediction_id, folder)

    def case(self, prediction_id: str) -> KeptCase:
        """A kept case.

        Raises:
            CaseExpiredError: It is no longer kept, or damaged: a power cut may, as its files do not wait for the disk.
        """
        with self._folders.using(prediction_id) as folder:
            if folder is None:
                raise _expired()
            try:
                record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
                return KeptCase(np.load(folder / TENSOR_NAME, allow_pickle=False), record)
            except (FileNotFoundError, EOFError, ValueError):
                raise CaseExpiredError(
                    "Expected a prediction whose case can be read; its files are damaged. Predict again from the image."
                ) from None

    @contextmanager
    def image(self, prediction_id: str) -> Iterator[Path]:
        """The file of a kept image, which stays while the block runs.

        Raises:
            CaseExpiredError: It is no longer kept, or never was.
        """
        with self._folders.using(prediction_id) as folder:
            if folder is None or not (folder / IMAGE_NAME).is_file():
                raise CaseExpiredError(
                    "Expected a prediction whose image is kept; this one was made without `keep=image`, or its time is "
                    "over. Predict again with `keep=image`."
                )
            yield folder / IMAGE_NAME

    def has_image(self, prediction_id: str) -> bool:
        """Whether `image` would find a file now."""
        folder = self._folders.find(prediction_id)
        return folder is not None and (folder / IMAGE_NAME).is_file()

    def ids(self) -> list[str]:
        """The predictions of which there is a case."""
        return self._folders.names()

    def delete(self, prediction_id: str) -> None:
        """Remove what is kept of a case at once; nothing happens where nothing is kept. Safe from any thread."""
        self._folders.delete(prediction_id)

    def sweep(self) -> int:
        """Remove cases over their time, the oldest while there are too many bytes, and what a killed process left.

        Returns:
            Folders that were removed.
        """
        return self._folders.sweep()


def _expired() -> CaseExpiredError:
    return CaseExpiredError(
        "Expected a prediction whose case is still kept here; its time is over, or another process has it. Predict again from the image."
    )
