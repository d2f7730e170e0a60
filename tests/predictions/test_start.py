"""app.predictions.start: CUDA graphs are kept where they can be had and bring something, and a package is served in any case."""

import time
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from app.errors import NotReadyError
from app.inference.graph_session import GraphSession, RawOutputs
from app.inference.session import OnnxSession
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.predictions.start import captured_where_faster, start_with


class Slowed:
    """A session that takes its time, on whatever device there is."""

    def __init__(self, package: Package, takes_s: float) -> None:
        self._session = OnnxSession(package, binding="captured")
        self._takes_s = takes_s
        self.provider = self._session.provider
        self.fell_back = False
        self.is_closed = False

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        time.sleep(self._takes_s)
        return self._session.run(image, values, missing)

    def close(self) -> None:
        self._session.close()
        self.is_closed = True


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


@pytest.mark.parametrize(("plain_s", "captured_s"), [(0.0, 0.2), (0.2, 0.0)])
def test_the_faster_session_is_kept_and_the_other_closed(
    package: Package, plain_s: float, captured_s: float
) -> None:
    plain, captured = Slowed(package, plain_s), Slowed(package, captured_s)
    with capture_logs() as lines:
        kept = captured_where_faster(plain, lambda: captured, package)
    expected = captured if captured_s < plain_s else plain
    assert kept is expected
    assert (plain.is_closed, captured.is_closed) == (expected is not plain, expected is not captured)
    assert (lines[-1]["event"], lines[-1]["kept"]) == ("cuda-graphs-tried", expected is captured)
    kept.close()


def test_where_they_cannot_be_had_the_package_is_served_without(package: Package) -> None:
    def refused() -> GraphSession:
        raise NotReadyError("not on this device")

    plain = Slowed(package, 0.0)
    with capture_logs() as lines:
        assert captured_where_faster(plain, refused, package) is plain
    assert [line["event"] for line in lines] == ["cuda-graphs-refused", "cuda-graphs-tried"]
    assert not plain.is_closed
    plain.close()


def test_a_cpu_tries_none(package: Package) -> None:
    with capture_logs() as lines:
        start_with("cpu", 1, cuda_graphs=True)(package)
    assert "cuda-graphs-tried" not in {line["event"] for line in lines}
