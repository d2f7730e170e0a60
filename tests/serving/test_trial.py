"""Packages that a running service does not know are opened in a process of their own first, which may end and is ended."""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from app.errors import NotReadyError, PackageInvalidError, PackageRefusedError
from app.main import create_app
from app.model_package.naming import Reference
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.serving.start import start_as_set
from app.serving.trial import _NEEDED, PackageTrial, longest_of
from app.settings import Provider, Settings
from tests.service.processes import descendants
from tests.support.waiting import wait_until

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="what is looked at is in /proc")
WITHIN_S = 30.0
SECRET = "a-secret-of-tests-0123456789"  # noqa: S105 - of this test alone


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


def trials() -> set[int]:
    """Processes of trials that live."""
    return {pid for pid in descendants(os.getpid()) if PackageTrial.__module__.encode() in cmdline(pid)}


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


@pytest.fixture
def trial() -> Iterator[PackageTrial]:
    with closing(PackageTrial(Settings())) as made:
        yield made


def test_a_sound_package_lives_through_it_and_the_log_says_how_long(
    trial: PackageTrial, package: Package
) -> None:
    with capture_logs() as lines:
        trial(package)
    (line,) = lines
    assert (line["event"], line["model"], line["detail"]) == ("package-tried", "gos@1", "lived through it")
    assert line["duration_ms"] > 0


def test_a_package_that_takes_too_long_is_invalid(package: Package) -> None:
    with pytest.raises(PackageInvalidError, match=r"not ready after 0\.1 seconds"):
        PackageTrial(Settings(), longest_s=0.1)(package)
    assert trials() == set()


@pytest.mark.parametrize(
    ("provider", "devices", "longest_s"), [("cuda", "0", 60), ("cuda", "0,1,3", 180), ("cpu", "0,1", 60)]
)
def test_a_package_has_time_for_each_gpu_that_it_is_made_ready_on(
    provider: Provider, devices: str, longest_s: float
) -> None:
    assert longest_of(Settings(provider=provider, devices=devices)) == longest_s


def test_every_setting_that_decides_how_a_package_is_opened_decides_it_there() -> None:
    asked = set[str]()

    class Watched(Settings):
        def __getattribute__(self, name: str) -> object:
            asked.add(name)
            return super().__getattribute__(name)

    settings = Watched()
    asked.clear()
    start_as_set(settings)
    assert asked & Settings.model_fields.keys() == _NEEDED


@on_linux
def test_a_service_that_stops_ends_the_trial(
    trial: PackageTrial, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROFUSE_ADMIN_TOKEN", SECRET)
    with ThreadPoolExecutor() as threads:
        trying = threads.submit(trial, package)
        (process,) = wait_until(trials)
        assert SECRET.encode() not in Path(f"/proc/{process}/environ").read_bytes()
        trial.close()
        with pytest.raises(NotReadyError, match="stopping"):
            trying.result(WITHIN_S)
    assert trials() == set()
    with pytest.raises(NotReadyError, match="stopping"):
        trial(package)


@on_linux
def test_the_application_ends_its_trial_when_it_stops(tiny_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(tiny_store / "gos" / "1", store / "gos" / "1")
    app = create_app(Settings(model_store=store, data=tmp_path / "var", threads=1, read_workers=1))

    async def load_and_stop(threads: ThreadPoolExecutor) -> Future[object]:
        async with app.router.lifespan_context(app) as state:
            assert state is not None
            runtime = state["runtime"]
            await anyio.to_thread.run_sync(wait_until, lambda: runtime.catalogue.ready)
            shutil.copytree(tiny_store / "gos" / "2", store / "gos" / "2")
            loading = threads.submit(runtime.rollout.load, Reference("gos", 2))
            await anyio.to_thread.run_sync(wait_until, trials)
            return loading

    with capture_logs() as lines, ThreadPoolExecutor() as threads:
        loading = anyio.run(load_and_stop, threads)
        with pytest.raises(PackageRefusedError, match="stopping"):
            loading.result(WITHIN_S)
    assert trials() == set()
    assert "package-tried" not in {line["event"] for line in lines}, "it was ended, not waited for"
