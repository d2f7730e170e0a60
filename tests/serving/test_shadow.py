"""A shadow answers the same case in the background: what differs is measured, what cannot be is counted, the answer never suffers."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.imaging.volume import without_voxels
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.model_package.naming import Reference
from app.model_package.store import ModelStore
from app.predictions.case import Case
from app.predictions.heatmaps import Heatmaps
from app.predictions.service import PredictionService
from app.records.aliases import Alias
from app.records.artefacts import FolderArtefacts
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from app.serving.entry import require_ready
from app.serving.routing import Routing
from app.serving.shadow import (
    MOST_WAITING,
    Comparison,
    ShadowComparisons,
    shadow_outputs,
    total_variation,
)
from app.serving.start import Gathering, start_with
from tests.support.records import tables_at
from tests.support.tiny_package import build_tiny_package
from tests.support.waiting import wait_until

RECORD = {"age": 71, "gcs": 9}
ANOTHER_GRID = (20, 40, 40)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """gos@1, which answers; gos@2 is the same, gos@3 has other weights, gos@4 another grid, gos@5 answers another question."""
    store = tmp_path_factory.mktemp("shadow")
    for version in (1, 2):
        build_tiny_package(store, "gos", version=version)
    build_tiny_package(store, "gos", version=3, image_weight=5.0)
    build_tiny_package(store, "gos", version=4, shape=ANOTHER_GRID)
    build_tiny_package(store, "ad", name="gos", version=5)
    loaded = Catalogue(ModelStore(store), start_with("cpu", threads=1, gathering=Gathering(max_batch=1)))
    loaded.load()
    yield loaded
    loaded.close()


@pytest.fixture
def shadowed_by(catalogue: Catalogue) -> Callable[[int], Predictor]:
    """Gives production a shadow."""

    def shadowed(version: int) -> Predictor:
        alias = Alias("gos", "production", 1, shadow=version)
        catalogue.switch(Routing(frozenset(catalogue.found), {("gos", "production"): alias}))
        return require_ready(catalogue.entry(f"gos@{version}"))

    return shadowed


@pytest.fixture(scope="module")
def analysis(catalogue: Catalogue, head_ct: Path) -> Analysis:
    return analyse([head_ct], RECORD, require_ready(catalogue.entry("gos@1")), "none")


class Comparing:
    """Comparisons with metrics of their own."""

    def __init__(
        self, catalogue: Catalogue, idle: Callable[[], bool] = lambda: True, quiet_s: float = 0.0
    ) -> None:
        self.metrics = Metrics()
        self.shadows = ShadowComparisons(catalogue, self.metrics, idle, quiet_s)

    def value(self, name: str, shadow: int, **labels: str) -> float:
        all_labels = {"model": "gos@1", "shadow": f"gos@{shadow}", **labels}
        return self.metrics.registry.get_sample_value(f"neurofuse_shadow_{name}", all_labels) or 0.0

    def count(self, shadow: int, outcome: str) -> float:
        return self.value("cases_total", shadow, outcome=outcome)

    def wait_for(self, shadow: int, outcome: str, count: int = 1) -> None:
        wait_until(lambda: self.count(shadow, outcome) >= count)


@pytest.fixture
def comparing(catalogue: Catalogue) -> Iterator[Comparing]:
    made = Comparing(catalogue)
    yield made
    made.shadows.close()


def test_a_version_that_is_the_same_differs_by_nothing(
    comparing: Comparing, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(2)
    comparing.shadows.offer(RECORD, analysis)
    comparing.wait_for(2, "compared")
    assert comparing.value("total_variation_sum", 2) == 0
    assert comparing.value("labels_total", 2, agreement="same") == 1
    for side in ("answer", "shadow"):
        assert comparing.value("seconds_sum", 2, side=side) > 0


def test_a_version_with_other_weights_differs_by_what_its_answer_differs(
    comparing: Comparing, shadowed_by: Callable[[int], Predictor], analysis: Analysis, head_ct: Path
) -> None:
    own = analyse([head_ct], RECORD, shadowed_by(3), "none").outputs
    comparing.shadows.offer(RECORD, analysis)
    comparing.wait_for(3, "compared")
    expected = total_variation(analysis.outputs.probabilities, own.probabilities)
    assert expected is not None
    assert expected > 0.01
    assert comparing.value("total_variation_sum", 3) == pytest.approx(expected)
    agreement = "same" if own.label == analysis.outputs.label else "another"
    assert comparing.value("labels_total", 3, agreement=agreement) == 1


def test_another_grid_is_read_from_the_volume_as_the_version_itself_would(
    shadowed_by: Callable[[int], Predictor], analysis: Analysis, head_ct: Path
) -> None:
    shadow = shadowed_by(4)
    modality, outputs = analysis.volume.modality, analysis.outputs
    comparison = Comparison(Reference("gos", 1), modality, outputs, analysis.volume, RECORD, shadow, 0.0)
    own = analyse([head_ct], RECORD, shadow, "none").outputs
    assert shadow_outputs(comparison).probabilities == own.probabilities
    assert own.probabilities != analysis.outputs.probabilities


def test_another_grid_is_compared_too(
    comparing: Comparing, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(4)
    comparing.shadows.offer(RECORD, analysis)
    comparing.wait_for(4, "compared")
    assert comparing.value("total_variation_sum", 4) > 0


def test_only_another_grid_needs_the_voxels_and_where_they_are_not_here_nothing_is_compared(
    comparing: Comparing, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(2)
    assert not comparing.shadows.need_voxels(analysis.package.manifest)
    shadowed_by(4)
    assert comparing.shadows.need_voxels(analysis.package.manifest)
    shape = analysis.volume.voxels.shape
    comparing.shadows.offer(RECORD, replace(analysis, volume=without_voxels(analysis.volume, shape)))
    comparing.wait_for(4, "dropped")


def test_a_service_whose_shadow_sees_another_grid_gives_it_the_voxels(
    comparing: Comparing,
    shadowed_by: Callable[[int], Predictor],
    catalogue: Catalogue,
    head_ct: Path,
    tmp_path: Path,
) -> None:
    shadowed_by(4)
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as records:
        service = PredictionService(
            records.predictions,
            Heatmaps(FolderArtefacts(tmp_path)),
            CaseStore(tmp_path / "cases", KeepingLimits(max_age_s=3600, max_bytes=10**9)),
            comparing.metrics,
            shadows=comparing.shadows,
        )
        service.predict(Case((head_ct,), RECORD, "none"), require_ready(catalogue.entry("gos@1")), 0.0)
    comparing.wait_for(4, "compared")


def test_a_version_that_answers_another_question_fails(
    comparing: Comparing, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(5)
    comparing.shadows.offer(RECORD, analysis)
    comparing.wait_for(5, "failed")


def test_a_record_that_the_shadow_cannot_read_is_its_failure_alone_and_no_word_of_it_is_logged(
    comparing: Comparing,
    shadowed_by: Callable[[int], Predictor],
    analysis: Analysis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shadowed_by(2)
    comparing.shadows.offer({"hairs": 3}, analysis)
    comparing.shadows.offer(RECORD, analysis)
    comparing.wait_for(2, "compared")
    assert comparing.count(2, "failed") == 1
    log = capsys.readouterr().out
    assert "shadow-failed" in log
    assert "hairs" not in log


def test_while_cases_are_worked_on_shadows_wait_and_the_surplus_is_dropped(
    catalogue: Catalogue, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(2)
    quiet = threading.Event()
    comparing = Comparing(catalogue, quiet.is_set)
    called = set[str]()

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            called.add(function.__name__)

    sys.setprofile(note)  # of this thread alone
    try:
        for _ in range(MOST_WAITING + 5):
            comparing.shadows.offer(RECORD, analysis)
    finally:
        sys.setprofile(None)
    assert called.isdisjoint({"acquire", "sleep"}), "what every wait ends in"
    assert comparing.count(2, "dropped") >= 4  # one may be out of the queue already
    assert comparing.count(2, "compared") == 0
    quiet.set()
    comparing.wait_for(2, "compared", MOST_WAITING)
    comparing.shadows.close()


def test_a_moment_between_two_cases_is_not_quiet(
    catalogue: Catalogue, shadowed_by: Callable[[int], Predictor], analysis: Analysis
) -> None:
    shadowed_by(2)
    quiet, looks = threading.Event(), count()
    # Until it is quiet, every third look finds a case.
    comparing = Comparing(catalogue, lambda: next(looks) % 3 > 0 or quiet.is_set(), quiet_s=1.0)
    comparing.shadows.offer(RECORD, analysis)
    time.sleep(1.5)
    assert comparing.count(2, "compared") == 0
    quiet.set()
    comparing.wait_for(2, "compared")
    comparing.shadows.close()


def test_without_a_shadow_nothing_is_compared(
    comparing: Comparing, catalogue: Catalogue, analysis: Analysis
) -> None:
    catalogue.switch(Routing(frozenset(catalogue.found)))
    comparing.shadows.offer(RECORD, analysis)
    assert not [
        f for f in comparing.metrics.registry.collect() if f.name == "neurofuse_shadow_cases" and f.samples
    ]


def test_total_variation_is_a_distance_of_distributions() -> None:
    first, second = {"a": 0.7, "b": 0.3}, {"a": 0.2, "b": 0.8}
    assert total_variation(first, first) == 0
    assert total_variation(first, second) == pytest.approx(0.5)
    assert total_variation({"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}) == 1
    assert total_variation(first, {"a": 0.7, "c": 0.3}) is None
