"""Watches the cases of every served package: how far they are from those it was trained on.

Read from the answers that are kept, so that a restart forgets nothing and every machine on one database tells the same; a request pays
nothing for it. Only how bright an image was is not kept: that is counted as cases come, by each process for its own.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.errors import PackageInvalidError
from app.imaging.intensity import intensity_of
from app.inference.predictor import ModelArray
from app.model_package.package import Package
from app.model_package.training_summary import load_training_summary
from app.monitoring.faults import faults_told, name_of, tell_unreadable
from app.monitoring.observation import Observation, Reference, observe, reference_of
from app.monitoring.window import MOST_CASES, Drift, ShareNow, drift_of, drifts, shares
from app.predictions.answer import Answer, read_answer
from app.records.predictions import PredictionRecords

MODEL = ("model_name", "model_version")
MEASURE = (*MODEL, "kind", "measure")

Found = tuple[int, list[Drift], list[ShareNow]]
"""Of one package: its cases, and what they say."""

log = structlog.stdlib.get_logger(__name__)


@dataclass
class _Watched:
    """One package: what is known of its latest cases; None stands for an answer that cannot be read."""

    package: Package
    reference: Reference
    observations: dict[str, Observation | None] = field(default_factory=dict)
    brightness: dict[str, deque[int]] = field(default_factory=dict)
    found: Found | None = None


class DriftWatch(Collector):
    """Gauges of drift.

    Args:
        records: The answers that are kept.
        served: The packages that answer now.
        faults: Counts the packages that could not be looked at.
    """

    def __init__(
        self, records: PredictionRecords, served: Callable[[], Iterable[Package]], faults: Counter
    ) -> None:
        self._records = records
        self._served = served
        self._faults = faults
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._told: list[Metric] = _families([])

    def see(self, answer: Answer, image: ModelArray) -> None:
        """Take notice of how bright an image was; called for every case, takes a tenth of a millisecond.

        Args:
            answer: What was answered.
            image: On the model grid.
        """
        watched = self._watched.get(answer.model.sha256) or self._begin(answer.model.sha256)
        if watched is None:  # it was unloaded while the case was answered
            return
        for name, value in intensity_of(image).items():
            expected = watched.reference.distributions.get(("intensity", name))
            bin_ = None if expected is None else expected.bin_of(value)
            if bin_ is not None:
                with self._lock:
                    watched.brightness.setdefault(name, deque(maxlen=MOST_CASES)).append(bin_)

    def refresh(self) -> None:
        """Bring the gauges up to date; reads the database."""
        with self._lock:  # replaced as a whole: `see` looks at it from other threads
            self._watched = {
                each.sha256: self._watched.get(each.sha256) or _watch(each) for each in self._served()
            }
        for watched in self._watched.values():
            with faults_told(watched.package.manifest, self._faults):
                watched.observations = self._observations(watched)
                watched.found = self._found(watched)
        self._told = _families([(each.package, *each.found) for each in self._watched.values() if each.found])

    def collect(self) -> Iterator[Metric]:
        """What the last refresh found."""
        yield from self._told

    def _begin(self, sha256: str) -> _Watched | None:
        """Watch a package from its first case on, which may come before the next refresh."""
        with self._lock:
            new = [each for each in self._served() if each.sha256 == sha256 and sha256 not in self._watched]
            self._watched = {**self._watched, **{each.sha256: _watch(each) for each in new}}
            return self._watched.get(sha256)

    def _observations(self, watched: _Watched) -> dict[str, Observation | None]:
        """Of the latest answers; a document is read once, and told of once where it cannot be."""
        manifest = watched.package.manifest
        ids = self._records.latest(manifest.name, manifest.version, MOST_CASES)
        known = watched.observations
        fresh = self._records.documents([each for each in ids if each not in known])
        answers = {id_: read_answer(text) for id_, text in fresh.items()}
        tell_unreadable(manifest, sum(answer is None for answer in answers.values()))
        seen = {
            id_: None if answer is None else observe(answer, watched.reference)
            for id_, answer in answers.items()
        }
        all_ = known | seen
        return {id_: all_[id_] for id_ in ids if id_ in all_}

    def _found(self, watched: _Watched) -> Found:
        observations = [each for each in watched.observations.values() if each is not None]
        with self._lock:
            brightness = {name: list(bins) for name, bins in watched.brightness.items()}
        found = drifts(watched.reference, observations)
        for name, bins in brightness.items():
            found += drift_of(watched.reference, ("intensity", name), bins)
        return len(observations), found, shares(watched.reference, observations)


def _watch(package: Package) -> _Watched:
    """A summary that was read when the package was made ready may be spoilt since; the other packages are watched all the same."""
    manifest = package.manifest
    try:
        summary = load_training_summary(package)
    except PackageInvalidError as error:
        log.warning("summary-unreadable", model=name_of(manifest), code=error.code)
        summary = None
    return _Watched(package, reference_of(manifest, summary))


def _families(rows: Sequence[tuple[Package, int, list[Drift], list[ShareNow]]]) -> list[Metric]:
    window = GaugeMetricFamily(
        "neurofuse_window_cases", "Latest answers that drift is told of.", labels=MODEL
    )
    index = GaugeMetricFamily(
        "neurofuse_drift", "Population stability index against training.", labels=MEASURE
    )
    index_chance = GaugeMetricFamily(
        "neurofuse_drift_by_chance", "Index that chance exceeds once in a million.", labels=MEASURE
    )
    share = GaugeMetricFamily("neurofuse_share", "Share of the latest answers.", labels=MEASURE)
    expected = GaugeMetricFamily("neurofuse_share_expected", "The same in training.", labels=MEASURE)
    shift = GaugeMetricFamily("neurofuse_share_shift", "Cohen's h of the two.", labels=MEASURE)
    shift_chance = GaugeMetricFamily(
        "neurofuse_share_shift_by_chance", "Shift that chance exceeds once in a million.", labels=MEASURE
    )
    for package, cases, found, rates in rows:
        model = (package.manifest.name, str(package.manifest.version))
        window.add_metric(model, cases)
        for drift in found:
            index.add_metric((*model, drift.kind, drift.name), drift.index)
            index_chance.add_metric((*model, drift.kind, drift.name), drift.by_chance)
        for rate in rates:
            labels = (*model, rate.kind, rate.name)
            share.add_metric(labels, rate.share)
            if rate.expected is not None and rate.shift is not None and rate.by_chance is not None:
                expected.add_metric(labels, rate.expected)
                shift.add_metric(labels, rate.shift)
                shift_chance.add_metric(labels, rate.by_chance)
    return [window, index, index_chance, share, expected, shift, shift_chance]
