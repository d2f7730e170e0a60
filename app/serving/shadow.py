"""Shadow comparison: another version answers the same case in the background, and only how far the two are apart is kept, as metrics.

It runs in a thread of its own once no case has been worked on for a moment, so that an answer hardly ever meets a shadow, waits for one run of
it at most, and is failed by none. What would have to wait for long, or in great number, is dropped and counted: a sample is enough to compare,
and memory stays bounded.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from app.ehr.encode import encode
from app.imaging.model_grid import ModelGrid
from app.imaging.resample import ModelImage, to_model_grid
from app.imaging.volume import Modality, Volume, has_voxels
from app.inference.case import Analysis
from app.inference.predictor import Outputs, Predictor
from app.inference.ticket import Ticket, Urgency, holding
from app.metrics import Metrics
from app.model_package.manifest import Manifest
from app.model_package.naming import Reference
from app.serving.catalogue import Catalogue
from app.telemetry import describe_exception, log_fault

MOST_WAITING: Final = 8
MOST_BYTES: Final = 2**28
"""Of images that wait; where both versions see the same grid, that is the small tensor, else the volume."""
PATIENCE_S: Final = 60.0
"""Longest time a case waits for a moment in which no other is worked on."""
QUIET_S: Final = 0.2
"""How long no case must have been worked on: then the next one is not expected within a run of the shadow."""
LOOK_UP_S: Final = 0.05
END_S: Final = 5.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Comparison:
    """One case that a shadow is to answer too.

    Attributes:
        answered: The version that answered.
        modality: What the image is.
        outputs: Its answer.
        image: The image, on the grid that the shadow reads too, or as it was acquired.
        record: Feature name to value, as it was sent.
        shadow: The other version.
        offered_s: When it was offered, of `time.monotonic`.
    """

    answered: Reference
    modality: Modality
    outputs: Outputs
    image: ModelImage | Volume
    record: Mapping[str, object]
    shadow: Predictor
    offered_s: float

    @property
    def labels(self) -> tuple[str, str]:
        """The two versions, as metrics name them."""
        return str(self.answered), str(self.shadow.package.manifest.reference)

    @property
    def image_bytes(self) -> int:
        """What it keeps in memory."""
        array = self.image.array if isinstance(self.image, ModelImage) else self.image.voxels
        return array.nbytes


class ShadowComparisons:
    """Compares answers with those of the shadows of the version that gave them.

    Args:
        catalogue: Knows the shadows.
        metrics: Where differences go.
        idle: Whether no case is worked on now.
        quiet_s: How long that must be so before a shadow runs.
    """

    def __init__(
        self, catalogue: Catalogue, metrics: Metrics, idle: Callable[[], bool], quiet_s: float = QUIET_S
    ) -> None:
        self._catalogue = catalogue
        self._metrics = metrics
        self._idle = idle
        self._quiet_s = quiet_s
        self._waiting: deque[Comparison] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def need_voxels(self, manifest: Manifest) -> bool:
        """Whether a shadow of this version sees another grid, which only the image as acquired can be brought to."""
        shadows = self._catalogue.shadows_of(manifest.reference)
        return any(shadow.package.manifest.image != manifest.image for shadow in shadows)

    def offer(self, record: Mapping[str, object], analysis: Analysis) -> None:
        """Let the shadows of the version that answered answer too, later; returns at once and never fails.

        Args:
            record: Feature name to value, as it was sent.
            analysis: The case, answered.
        """
        try:
            manifest = analysis.package.manifest
            for shadow in self._catalogue.shadows_of(manifest.reference):
                same_grid = shadow.package.manifest.image == manifest.image
                comparison = Comparison(
                    answered=manifest.reference,
                    modality=manifest.image.modality,
                    outputs=analysis.outputs,
                    image=analysis.image if same_grid else analysis.volume,
                    record=record,
                    shadow=shadow,
                    offered_s=time.monotonic(),
                )
                if same_grid or has_voxels(analysis.volume):
                    self._enter(comparison)
                else:  # it became a shadow while the case was answered
                    self._count(comparison, "dropped")
        except Exception as error:  # noqa: BLE001 - the answer stands, whatever becomes of its comparison
            log_fault(log, "shadow-fault", error)

    def close(self) -> None:
        """Drop what waits and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(END_S)

    def _enter(self, comparison: Comparison) -> None:
        with self._changed:
            held = sum(each.image_bytes for each in self._waiting)
            if len(self._waiting) < MOST_WAITING and held + comparison.image_bytes <= MOST_BYTES:
                self._waiting.append(comparison)
                self._changed.notify_all()
                return
        self._count(comparison, "dropped")

    def _work(self) -> None:
        with holding(Ticket(Urgency.BATCH)):
            while (comparison := self._next()) is not None:
                self._count(comparison, self._outcome(comparison))
                del comparison  # or its session would stay open until the next one comes

    def _next(self) -> Comparison | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return None if self._closed else self._waiting.popleft()

    def _outcome(self, comparison: Comparison) -> str:
        if not self._becomes_quiet(comparison.offered_s + PATIENCE_S):
            return "dropped"
        try:
            return "compared" if self._compare(comparison) else "failed"
        except Exception as error:  # noqa: BLE001 - a shadow may fail in any way, it is on trial
            log.warning("shadow-failed", model=comparison.labels[1], **describe_exception(error))
            return "failed"

    def _becomes_quiet(self, deadline_s: float) -> bool:
        """Wait until no case was worked on for a while; whether that came to be in time."""
        busy_s = time.monotonic()
        while (now_s := time.monotonic()) < deadline_s and not self._closed:
            if not self._idle():
                busy_s = now_s
            elif now_s >= busy_s + self._quiet_s:
                return True
            time.sleep(LOOK_UP_S)
        return False

    def _compare(self, comparison: Comparison) -> bool:
        if comparison.shadow.package.manifest.image.modality is not comparison.modality:
            return False
        outputs = shadow_outputs(comparison)
        distance = total_variation(comparison.outputs.probabilities, outputs.probabilities)
        if distance is None:
            return False
        metrics, labels = self._metrics, comparison.labels
        metrics.shadow_total_variation.labels(*labels).observe(distance)
        agreement = "same" if outputs.label == comparison.outputs.label else "another"
        metrics.shadow_labels.labels(*labels, agreement).inc()
        for side, answer in (("answer", comparison.outputs), ("shadow", outputs)):
            metrics.shadow_seconds.labels(*labels, side).observe(answer.inference_ms / 1000)
        return True

    def _count(self, comparison: Comparison, outcome: str) -> None:
        self._metrics.shadow_cases.labels(*comparison.labels, outcome).inc()


def shadow_outputs(comparison: Comparison) -> Outputs:
    """The shadow's answer, from the same image and record by the same steps as `app.inference.case.analyse` takes.

    Raises:
        NeuroFuseError: As `analyse`.
    """
    manifest = comparison.shadow.package.manifest
    image = _on_grid(comparison.image, manifest.image)
    return comparison.shadow.predict(image.array, encode(comparison.record, manifest.ehr))


def _on_grid(image: ModelImage | Volume, spec: ModelGrid) -> ModelImage:
    return image if isinstance(image, ModelImage) else to_model_grid(image, spec)


def total_variation(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Half the sum of the absolute differences of two distributions over the same classes, 0 to 1; None where the classes differ."""
    if first.keys() != second.keys():
        return None
    return sum(abs(probability - second[label]) for label, probability in first.items()) / 2
