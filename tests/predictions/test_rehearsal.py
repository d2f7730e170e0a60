"""The golden case goes through every reader before a package takes cases, and leaves nothing behind."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotReadyError, StorageUnavailableError
from app.imaging.load import LoadedCase, load_case
from app.imaging.workers.isolation import ImageWorkers, WorkerLimits
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore
from app.predictions.rehearsal import rehearse
from app.records.store import RecordStore
from app.serving.start import start_with


@pytest.fixture(scope="module")
def predictor(tiny_store: Path) -> Predictor:
    return start_with("cpu", 1)(ModelStore(tiny_store).load("gos", 1))


@pytest.fixture
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    store = RecordStore(tmp_path_factory.mktemp("records") / "records.sqlite3")
    yield store
    store.close()


class Readers:
    """A loader that reads so many at once, and would wait for ever for one that does not come; then whatever comes alone."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.together = threading.Barrier(count, timeout=30)
        self.read: list[tuple[Path, ...]] = []

    def __call__(self, paths: Sequence[Path], *how: Any, **wishes: Any) -> LoadedCase:
        if len(self.read) < self.count:
            self.together.wait()
        self.read.append(tuple(paths))
        return load_case(paths, *how, **wishes)


def test_every_reader_gets_the_golden_case_at_the_same_time_and_one_gets_it_alone(
    predictor: Predictor, records: RecordStore
) -> None:
    readers = Readers(3)
    rehearse(predictor, readers, readers=3, records=records.predictions)
    assert len(readers.read) == 3 + 1
    assert {path.parent for paths in readers.read for path in paths} == {predictor.package.golden_folder}


def test_nothing_is_left_behind(
    predictor: Predictor, records: RecordStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records.audit.head()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rehearse(predictor, load_case, readers=2, records=records.predictions)
    assert list(tmp_path.iterdir()) == []
    manifest = predictor.package.manifest
    assert records.predictions.latest(manifest.name, manifest.version, limit=9) == []
    assert records.audit.head() == before


def test_a_package_is_ready_whether_or_not_the_database_answers_just_now(
    predictor: Predictor, tmp_path: Path
) -> None:
    database = tmp_path / "records.sqlite3"
    store = RecordStore(database)
    for lost in tmp_path.glob("records.sqlite3*"):
        lost.unlink()
    database.mkdir()  # no file that could be opened
    store.close()  # every connection, so that the next one is new
    with pytest.raises(StorageUnavailableError):
        store.audit.head()
    rehearse(predictor, load_case, readers=1, records=store.predictions)


def test_a_package_whose_first_case_would_fail_is_not_ready(
    predictor: Predictor, records: RecordStore
) -> None:
    closed_workers = ImageWorkers(WorkerLimits(workers=1))
    closed_workers.close()
    with pytest.raises(NotReadyError):
        rehearse(predictor, closed_workers, readers=1, records=records.predictions)
