"""What a package has answered, kept patient by patient as it comes: an interruption costs the cases in work alone, and nobody is asked twice.

A line is found again by a digest of all that the answer depends on. It holds no record and no pseudonym, and of the answer all but the heatmap.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from app import __version__
from app.imaging.model_grid import PREPROCESSING_VERSION, READING_REVISION
from app.inference.calibration import OodResult
from app.inference.predictor import Outputs
from training.files.stamps import file_stamp

KEPT_FILE: Final = "asked.jsonl"
_NO_HEATMAP: Final = np.empty((0, 0, 0), np.float32)


class KeptAnswers:
    """Answers of an earlier start, and room for more.

    Args:
        folder: With `asked.jsonl`, or to be made with the first answer; None keeps none.
        package_sha256: Of the package that is asked.
    """

    def __init__(self, folder: Path | None, package_sha256: str) -> None:
        self._path = folder / KEPT_FILE if folder else None
        self._package, self._lock = package_sha256, Lock()
        self._known: dict[str, Outputs] = {}
        if self._path and self._path.is_file():
            for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
                # Half a line of a process that was killed, or what another release wrote: asked again.
                with suppress(ValueError, TypeError, KeyError):
                    told = json.loads(line)
                    key = told.pop("key")
                    self._known[key] = _outputs(told)

    def key(self, image: Sequence[Path], record: Mapping[str, object]) -> str:
        """Changes when anything does that the answer depends on: files by place, size and time, the record, the package, the release and its way of reading.

        Raises:
            OSError: A file is not there.
        """
        stamps = [(str(file.resolve()), *file_stamp(file)) for file in image]
        parts = [__version__, PREPROCESSING_VERSION, READING_REVISION, self._package, stamps, dict(record)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> Outputs | None:
        """The answer that was kept, without its heatmap."""
        return self._known.get(key)

    def add(self, key: str, outputs: Outputs) -> Outputs:
        """Keep an answer; on its way to the disk when this returns, without its heatmap."""
        told = replace(outputs, heatmap=_NO_HEATMAP)
        if self._path:
            line = asdict(told) | {"key": key, "heatmap": None, "embedding": told.embedding.tolist()}
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    # The line end comes first, since what is there may end with half a line.
                    file.write(f"\n{json.dumps(line)}")
        return told


def _outputs(told: dict[str, object]) -> Outputs:
    return Outputs(
        **told  # type: ignore[arg-type]  # as `asdict` took them apart
        | {
            "prediction_set": tuple(told["prediction_set"]),  # type: ignore[arg-type]
            "out_of_distribution": OodResult(**told["out_of_distribution"]),  # type: ignore[arg-type]
            "heatmap": _NO_HEATMAP,
            "embedding": np.array(told["embedding"], np.float32),
        }
    )
