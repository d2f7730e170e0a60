"""The heatmap files of answers: kept with the answer, or for a time of their own."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

from app.errors import CaseExpiredError
from app.identifiers import made_s
from app.predictions.answering import NIFTI_NAME, PNG_NAME
from app.records.artefacts import Artefacts
from app.sweeping import PART_S

HeatmapSuffix = Literal["nii.gz", "png"]

KIND: Final = "heatmaps"
FILES: Final[dict[HeatmapSuffix, str]] = {"nii.gz": NIFTI_NAME, "png": PNG_NAME}
LIST_EVERY_S: Final = 3600.0
"""Object stores charge for lists; what is over its time is refused at once, whenever its file goes."""


class Heatmaps:
    """The artefacts `heatmaps/<id>.nii.gz` and `heatmaps/<id>.png`; `<id>`, a UUID of version 7, says how old they are.

    Args:
        artefacts: Where they are.
        max_age_s: Seconds until they are gone; infinite where they stay with their answer.
        now: Unix time in seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        artefacts: Artefacts,
        max_age_s: float = float("inf"),
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._artefacts = artefacts
        self._max_age_s = max_age_s
        self._now = now
        self._monotonic = monotonic
        self._next_list_s = float("-inf")
        self._over: list[str] = []

    def keep(self, prediction_id: str, folder: Path) -> None:
        """Take both files of a prediction from the folder that they were written to; durable on return."""
        self._artefacts.put_all(
            {_name(prediction_id, suffix): folder / file for suffix, file in FILES.items()}
        )

    @contextmanager
    def local(self, prediction_id: str, suffix: HeatmapSuffix) -> Iterator[Path]:
        """One of the files, on a disk of this machine while the block runs.

        Raises:
            CaseExpiredError: It is no longer kept.
        """
        if self._is_over(prediction_id):
            raise expired()
        with ExitStack() as held:
            try:
                path = held.enter_context(self._artefacts.local(_name(prediction_id, suffix)))
            except FileNotFoundError:
                raise expired() from None
            yield path

    def ids(self) -> set[str]:
        """The predictions of which there are files."""
        return {_prediction_id(name) for name in self._artefacts.names(KIND)}

    def delete(self, prediction_id: str) -> None:
        """Remove both files; nothing happens where there are none."""
        for suffix in get_args(HeatmapSuffix):
            self._artefacts.delete(_name(prediction_id, suffix))

    def sweep(self) -> int:
        """Remove the files that are over their time, once an hour, as many as a sweep has time for; the number of files removed."""
        if self._max_age_s == float("inf"):
            return 0
        began_s, removed = self._monotonic(), 0
        if not self._over and began_s >= self._next_list_s:
            self._over = [name for name in self._artefacts.names(KIND) if self._is_over(_prediction_id(name))]
            self._next_list_s = began_s + LIST_EVERY_S
        while self._over and self._monotonic() < began_s + PART_S:
            self._artefacts.delete(self._over.pop())
            removed += 1
        return removed

    def _is_over(self, prediction_id: str) -> bool:
        made = made_s(prediction_id)
        return made is not None and self._now() >= made + self._max_age_s


def _name(prediction_id: str, suffix: HeatmapSuffix) -> str:
    return f"{KIND}/{prediction_id}.{suffix}"


def _prediction_id(name: str) -> str:
    return name.removeprefix(f"{KIND}/").partition(".")[0]


def expired() -> CaseExpiredError:
    """The error that says so."""
    return CaseExpiredError(
        "Expected a prediction whose heatmap is still kept; it is not. Predict again from the image."
    )
