"""All that is watched, put together, and the loop that keeps it up to date."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import anyio
import anyio.to_thread
import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.registry import Collector

from app.data_folder.layout import DataFolder
from app.inference.predictor import ModelArray
from app.metrics import Metrics
from app.model_package.package import Package
from app.monitoring.cases import CaseWatch
from app.monitoring.drift import DriftWatch
from app.monitoring.gpu import GpuCollector, open_nvml
from app.monitoring.keys import KeyWatch
from app.monitoring.machine import MachineCollector
from app.monitoring.outcomes import OutcomeWatch
from app.monitoring.packages import PackageCollector
from app.predictions.answer import Answer
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.telemetry import log_fault

REFRESH_EVERY_S: Final = 30.0

log = structlog.stdlib.get_logger(__name__)


class Watch(Protocol):
    """What looks at the database now and then."""

    def refresh(self) -> None:
        """Bring the gauges up to date."""


class Monitoring:
    """What is watched in one application.

    Args:
        metrics: Where cases are counted.
        records: What is kept.
        catalogue: The packages.
        folder: Where data lies.
        version: Of this program.
    """

    def __init__(
        self, metrics: Metrics, records: RecordStore, catalogue: Catalogue, folder: DataFolder, version: str
    ) -> None:
        def ready() -> list[Package]:
            return [each.package for each in catalogue.predictors()]

        drift = DriftWatch(records.predictions, ready, metrics.watch_faults)
        outcomes = OutcomeWatch(records.feedback, ready, metrics.watch_faults)
        nvml = open_nvml()
        self._faults = metrics.watch_faults
        self._cases = CaseWatch(metrics.cases, drift)
        keys = KeyWatch(records.api_keys)
        self.watches: Sequence[Watch] = (drift, outcomes, keys)
        self._collectors: Sequence[Collector] = (
            drift,
            outcomes,
            keys,
            PackageCollector(catalogue.predictors),
            MachineCollector(folder.root, version),
            *([GpuCollector(nvml)] if nvml else []),
        )

    def see(self, answer: Answer, image: ModelArray) -> None:
        """Take notice of an answered case; never fails, since the answer stands.

        Args:
            answer: What was answered.
            image: On the model grid.
        """
        try:
            self._cases.see(answer, image)
        except Exception as error:  # noqa: BLE001 - the answer stands, whatever becomes of its numbers
            self._faults.inc()
            log_fault(log, "watch-fault", error)

    @contextmanager
    def shown_in(self, registry: CollectorRegistry) -> Iterator[None]:
        """Show every gauge while the block runs."""
        for collector in self._collectors:
            registry.register(collector)
        try:
            yield
        finally:
            for collector in self._collectors:
                registry.unregister(collector)


async def keep_watching(watches: Sequence[Watch], faults: Counter, every_s: float = REFRESH_EVERY_S) -> None:
    """Refresh again and again, until it is cancelled.

    Args:
        watches: What to refresh.
        faults: Counts the looks that fail.
        every_s: Seconds between two rounds.
    """
    while True:
        await anyio.sleep(every_s)
        for watch in watches:
            await anyio.to_thread.run_sync(refresh_once, watch, faults)


def refresh_once(watch: Watch, faults: Counter) -> None:
    """Refresh one; a fault is logged, counted and tried again, the gauges keep their last values meanwhile."""
    try:
        watch.refresh()
    except Exception as error:  # noqa: BLE001 - the database may say anything
        faults.inc()
        log_fault(log, "watch-fault", error)
