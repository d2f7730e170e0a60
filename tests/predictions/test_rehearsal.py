"""The golden case goes through every reader before a package takes cases, and leaves nothing behind."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotReadyError
from app.imaging.isolation import ImageWorkers, WorkerLimits
from app.imaging.limits import DEFAULT_LIMITS
from app.imaging.load import LoadedCase, load_case
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore
from app.predictions.rehearsal import rehearse
from app.predictions.start import start_with


@pytest.fixture(scope="module")
def predictor(tiny_store: Path) -> Predictor:
    return start_with("cpu", 1)(ModelStore(tiny_store).load("gos", 1))


class Readers:
    """A loader that reads so many at once, and would wait for ever for one that does not come."""

    def __init__(self, count: int) -> None:
        self.together = threading.Barrier(count, timeout=30)
        self.read: list[tuple[Path, ...]] = []

    def __call__(self, paths: Sequence[Path], *how: Any, **wishes: Any) -> LoadedCase:
        self.together.wait()
        self.read.append(tuple(paths))
        return load_case(paths, *how, **wishes)


def test_every_reader_gets_the_golden_case_at_the_same_time(predictor: Predictor) -> None:
    readers = Readers(3)
    rehearse(predictor, readers, DEFAULT_LIMITS, readers=3)
    assert len(readers.read) == 3
    assert {path.parent for paths in readers.read for path in paths} == {predictor.package.golden_folder}


def test_nothing_is_left_behind(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rehearse(predictor, load_case, DEFAULT_LIMITS, readers=2)
    assert list(tmp_path.iterdir()) == []


def test_a_package_whose_first_case_would_fail_is_not_ready(predictor: Predictor) -> None:
    closed_workers = ImageWorkers(WorkerLimits(workers=1))
    closed_workers.close()
    with pytest.raises(NotReadyError):
        rehearse(predictor, closed_workers, DEFAULT_LIMITS, readers=1)
