"""The application lives on where the processes beside it cannot, and says why it is not ready."""

import shutil
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.errors import NotReadyError
from app.inference.lost_device import DEVICE_LOST
from app.inference.predictor import Predictor
from app.main import create_app
from app.metrics import Metrics
from app.model_package.package import Package
from app.serving.entry import State
from app.settings import Settings
from tests.monitoring.test_certificate import certificate


def test_readers_that_cannot_live_do_not_end_the_service_and_are_the_reason_why_it_is_not_ready(
    tiny_store: Path, tmp_path: Path
) -> None:
    chosen = Settings(model_store=tiny_store, data=tmp_path / "var", threads=1, read_workers=1)
    app = create_app(chosen.model_copy(update={"read_memory_bytes": 1}))  # no worker can live on that

    async def reasons() -> set[str]:
        async with app.router.lifespan_context(app) as state:
            assert state is not None
            entries = state["runtime"].catalogue.entries
            with anyio.fail_after(60):
                # The process that de-identifies is begun beside the readers, and nobody waits for it.
                while [line["event"] for line in lines].count("image-worker-ended") < 2:  # noqa: ASYNC110 - threads see them
                    await anyio.sleep(0.01)
                while not entries() or any(entry.state is State.LOADING for entry in entries()):  # noqa: ASYNC110 - as above
                    await anyio.sleep(0.01)
            return {f"{entry.code}: {entry.detail}" for entry in entries()}

    with capture_logs() as lines:
        (reason,) = anyio.run(reasons)
    assert reason.startswith("not-ready: Expected every process that reads images")
    assert "NEUROFUSE_READ_WORKERS" in reason


def test_what_cannot_be_swept_is_counted(tiny_store: Path, tmp_path: Path, gos_predictor: Predictor) -> None:
    settings = Settings(model_store=tiny_store, data=tmp_path / "var", threads=1, read_workers=1)
    app = create_app(settings, lambda _package: gos_predictor)

    async def faults() -> float:
        async with app.router.lifespan_context(app) as state:
            shutil.rmtree(tmp_path / "var" / "cases")  # before the first sweep, which is another task's
            assert state is not None
            registry: CollectorRegistry = state["runtime"].metrics.registry
            with anyio.fail_after(60):
                while not (found := registry.get_sample_value("neurofuse_sweep_faults_total")):  # noqa: ASYNC110 - a thread counts
                    await anyio.sleep(0.01)
            return found

    with capture_logs() as lines:
        assert anyio.run(faults) > 0
    assert "sweep-fault" in {line["event"] for line in lines}


def test_the_end_of_the_certificate_that_a_service_shows_is_among_its_metrics(
    tiny_store: Path, tmp_path: Path, gos_predictor: Predictor
) -> None:
    (tmp_path / "chain.pem").write_bytes(certificate(30))
    chosen = Settings(model_store=tiny_store, data=tmp_path / "var", threads=1, read_workers=1)
    app = create_app(
        chosen.model_copy(update={"tls_certificate": str(tmp_path / "chain.pem")}),
        lambda _package: gos_predictor,
    )

    async def rendered() -> bytes:
        async with app.router.lifespan_context(app) as state:
            assert state is not None
            metrics: Metrics = state["runtime"].metrics
            return metrics.render()

    assert b"\nneurofuse_tls_certificate_expiry_timestamp_seconds 1.7" in anyio.run(rendered)


def test_a_service_whose_gpu_is_lost_ends_also_while_a_package_is_being_loaded(
    tiny_store: Path, tmp_path: Path, gos_predictor: Predictor
) -> None:
    loading, released = threading.Event(), threading.Event()

    def load(_package: Package) -> Predictor:
        loading.set()
        assert released.wait(30)
        return gos_predictor

    settings = Settings(model_store=tiny_store, data=tmp_path / "var", threads=1, read_workers=1)
    app = create_app(settings, load)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            try:
                await anyio.to_thread.run_sync(loading.wait, 30)
                DEVICE_LOST.set()
                with anyio.fail_after(10):
                    await anyio.sleep_forever()
            finally:
                released.set()

    try:
        with pytest.RaisesGroup(pytest.RaisesExc(NotReadyError, match="lost to this process")):
            anyio.run(live)
    finally:
        DEVICE_LOST.clear()
