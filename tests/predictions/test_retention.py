"""Answers over their time go with all that belongs to them; the others stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.errors import UnknownPredictionError
from app.metrics import Metrics
from app.predictions import retention
from app.predictions.heatmaps import Heatmaps
from app.predictions.retention import Retention
from app.predictions.service import PredictionService
from app.records.artefacts import FolderArtefacts
from app.records.feedback import Feedback
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from app.sweeping import PART_S
from tests.support.records import tables_at

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY_S = 24 * 3600.0


class Kept:
    """Answers of several ages, their heatmaps and their feedback."""

    def __init__(self, folder: Path) -> None:
        self.records = RecordStore(tables_at(folder / "records.sqlite3"))
        self.heatmaps = folder / "heatmaps"
        self.heatmaps.mkdir()
        cases = CaseStore(folder / "cases", KeepingLimits(DAY_S, 10**9))
        self.service = PredictionService(
            self.records.predictions, Heatmaps(FolderArtefacts(folder)), cases, Metrics()
        )

    def add(self, prediction_id: str, age: timedelta) -> None:
        self.records.predictions.add(
            KeptPrediction(
                prediction_id, NOW - age, "gos", 1, "0" * 64, "{}", "gos", "gos_4", 0.7,
                abstained=False, out_of_distribution=False,
            )
        )  # fmt: skip
        self.records.feedback.put(prediction_id, Feedback("agree", None, None, NOW))
        (self.heatmaps / f"{prediction_id}.png").write_bytes(b"picture")

    def retention(self, days: float) -> Retention:
        return Retention(self.service, self.records.predictions, days * DAY_S, NOW.timestamp, lambda: 0.0)

    def left(self) -> set[str]:
        return {path.stem for path in self.heatmaps.iterdir()}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.records.close()


def test_what_is_over_its_time_goes_with_its_feedback_and_its_heatmap(kept: Kept) -> None:
    for hours in (12, 23, 25, 48):
        kept.add(str(hours), timedelta(hours=hours))
    assert kept.retention(days=1).sweep() == 2
    assert kept.left() == {"12", "23"}
    for gone in ("25", "48"):
        with pytest.raises(UnknownPredictionError):
            kept.records.predictions.get(gone)
        assert kept.records.feedback.get(gone) is None
    assert kept.records.feedback.get("12") is not None


def test_more_than_a_batch_is_swept_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        kept.add(str(number), timedelta(days=2))
    assert kept.retention(days=1).sweep() == 5
    assert kept.left() == set()


def test_a_sweep_leaves_to_the_next_what_it_has_no_time_for(kept: Kept) -> None:
    for number in range(3):
        kept.add(str(number), timedelta(days=9 - number))
    passed_s = count(step=0.6 * PART_S)  # each look at the clock
    sweeping = Retention(
        kept.service, kept.records.predictions, DAY_S, NOW.timestamp, lambda: float(next(passed_s))
    )
    assert sweeping.sweep() == 1
    assert kept.left() == {"1", "2"}
    assert [sweeping.sweep() for _ in range(3)] == [1, 1, 0]


def test_without_a_time_answers_stay_for_ever(kept: Kept) -> None:
    kept.add("a", timedelta(days=100_000))
    assert kept.retention(days=float("inf")).sweep() == 0
    assert kept.left() == {"a"}
