"""Watches how answers turn out, once clinicians say so: agreement, and calibration on the outcomes that are known."""

import collections
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.model_package.manifest import Manifest
from app.model_package.package import Package
from app.monitoring.faults import faults_told, tell_unreadable
from app.monitoring.observation import event_probability
from app.predictions.answer import Answer, read_answer
from app.records.feedback import Feedback, FeedbackRecords

LEAST_OUTCOMES: Final = 30
MOST_FEEDBACK: Final = 500
MODEL = ("model_name", "model_version")
AGREEMENT: Final = ("agree", "disagree")
Said = tuple[Answer, Feedback]


@dataclass(frozen=True)
class _Found:
    """Of one package.

    Attributes:
        manifest: Its manifest.
        agreement: How often each word was said.
        known: Answers whose outcome is known.
        numbers: By the names of the gauges; empty where too few outcomes are known.
        unreadable: Answers that were left out.
    """

    manifest: Manifest
    agreement: collections.Counter[str | None]
    known: int
    numbers: dict[str, float]
    unreadable: int


class OutcomeWatch(Collector):
    """Gauges of feedback and calibration, over the latest answers of which something was said.

    Args:
        records: The feedback that is kept.
        served: The packages that answer now.
        faults: Counts the packages that could not be looked at.
    """

    def __init__(
        self, records: FeedbackRecords, served: Callable[[], Iterable[Package]], faults: Counter
    ) -> None:
        self._records = records
        self._served = served
        self._faults = faults
        self._found: dict[str, _Found] = {}
        self._told: list[Metric] = _families([])

    def refresh(self) -> None:
        """Bring the gauges up to date; reads the database."""
        served = list(self._served())
        self._found = {each.sha256: self._found[each.sha256] for each in served if each.sha256 in self._found}
        for package in served:
            with faults_told(package.manifest, self._faults):
                self._found[package.sha256] = self._look(package)
        self._told = _families(self._found.values())

    def collect(self) -> Iterator[Metric]:
        """What the last refresh found."""
        yield from self._told

    def _look(self, package: Package) -> _Found:
        manifest, before = package.manifest, self._found.get(package.sha256)
        latest = self._records.latest(manifest.name, manifest.version, MOST_FEEDBACK)
        said = [(answer, each) for kept, each in latest if (answer := read_answer(kept.document))]
        unreadable = len(latest) - len(said)
        if before is None or before.unreadable != unreadable:  # else it was told in an earlier round
            tell_unreadable(manifest, unreadable)
        return _found(manifest, said, unreadable)


def _found(manifest: Manifest, said: Sequence[Said], unreadable: int) -> _Found:
    outcomes = [(answer, each.outcome) for answer, each in said if each.outcome is not None]
    numbers = judged(outcomes, manifest) if len(outcomes) >= LEAST_OUTCOMES else {}
    return _Found(
        manifest, collections.Counter(each.agreement for _, each in said), len(outcomes), numbers, unreadable
    )


def _families(rows: Iterable[_Found]) -> list[Metric]:
    agreement = GaugeMetricFamily(
        "neurofuse_feedback", "Latest answers by what clinicians said.", labels=(*MODEL, "agreement")
    )
    known = GaugeMetricFamily("neurofuse_outcomes", "Latest answers whose outcome is known.", labels=MODEL)
    numbers = {
        "accuracy": "Share of outcomes that were the most likely class.",
        "brier": "Brier score: squared error of the probabilities, summed over the classes.",
        "calibration_gap": "Mean probability of the event less how often it happened.",
        "calibration_gap_error": "Standard error of the gap for a calibrated model.",
        "set_coverage": "Share of outcomes inside the prediction set.",
        "set_coverage_nominal": "What the package promises.",
        "set_coverage_error": "Standard error of the share for a package that keeps its promise.",
    }
    families = {
        name: GaugeMetricFamily(f"neurofuse_outcome_{name}", text, labels=MODEL)
        for name, text in numbers.items()
    }
    for found in rows:
        model = (found.manifest.name, str(found.manifest.version))
        for word in AGREEMENT:
            agreement.add_metric((*model, word), found.agreement[word])
        known.add_metric(model, found.known)
        for name, value in found.numbers.items():
            families[name].add_metric(model, value)
    return [agreement, known, *families.values()]


def judged(outcomes: Sequence[tuple[Answer, str]], manifest: Manifest) -> dict[str, float]:
    """Numbers by the names of the gauges.

    Args:
        outcomes: Answers and the class that came true, at least one.
        manifest: Of the package that answered.
    """
    n = len(outcomes)
    events = set(manifest.outputs.favourable) or {manifest.outputs.classes[-1].label}
    expected = [event_probability(answer) for answer, _ in outcomes]
    nominal = manifest.calibration.coverage
    return {
        "accuracy": sum(answer.prediction.label == label for answer, label in outcomes) / n,
        "brier": sum(_squared_error(answer, label) for answer, label in outcomes) / n,
        "calibration_gap": sum(expected) / n - sum(label in events for _, label in outcomes) / n,
        "calibration_gap_error": math.sqrt(sum(p * (1 - p) for p in expected)) / n,
        "set_coverage": sum(label in answer.prediction.prediction_set for answer, label in outcomes) / n,
        "set_coverage_nominal": nominal,
        "set_coverage_error": math.sqrt(nominal * (1 - nominal) / n),
    }


def _squared_error(answer: Answer, label: str) -> float:
    return sum((p - (name == label)) ** 2 for name, p in answer.prediction.probabilities.items())
