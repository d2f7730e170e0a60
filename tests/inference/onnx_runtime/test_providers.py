"""What a session says of the provider that was asked for: what is not there is named, and what is full or absent is no fault of the package."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from structlog.testing import capture_logs

from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference.onnx_runtime.providers import Provider, prepare_for_gpu
from app.inference.onnx_runtime.session import OnnxSession
from app.model_package.package import Package
from tests.inference.onnx_runtime.graphs import WIDE_BYTES, takes_64_mb
from tests.support.providers import GPUS

STATUS = Path("/proc/self/status")
GROWTH = """
import sys
from pathlib import Path
import numpy as np
from app.inference.onnx_runtime.providers import open_graph

def resident_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

sessions, before = [], resident_bytes()
for _ in range(6):
    sessions.append(open_graph(Path(sys.argv[1]), "cpu", threads=1))
    for _ in range(2):
        sessions[-1].run(None, {"x": np.ones(1, np.float32)})
    print(resident_bytes() - before)
"""
TF32 = "NVIDIA_TF32_OVERRIDE"
absent = [name for name, full in GPUS.items() if full not in ort.get_available_providers()]


@pytest.fixture
def unprepared() -> Iterator[None]:
    """A process that has asked for no GPU yet."""
    prepare_for_gpu.cache_clear()
    yield
    prepare_for_gpu.cache_clear()


def test_the_cpu_is_the_cpu(package: Package) -> None:
    session = OnnxSession(package, provider="cpu")
    assert session.provider == "CPUExecutionProvider"


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell")
def test_what_a_run_took_another_session_takes_again(tmp_path: Path) -> None:
    """In a process of its own, that has run nothing before."""
    onnx.save_model(takes_64_mb(), tmp_path / "wide.onnx")
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", GROWTH, str(tmp_path / "wide.onnx")],
        capture_output=True,
        text=True,
        check=True,
    )
    first, *_, last = map(int, ran.stdout.split())
    assert first > WIDE_BYTES
    assert last - first < WIDE_BYTES


@pytest.mark.usefixtures("unprepared")
@pytest.mark.parametrize(("provider", "loads"), [("cpu", 0), *((provider, 1) for provider in absent)])
def test_libraries_that_came_as_wheels_are_loaded_without_tf32_before_a_gpu_is_asked_for(
    package: Package, monkeypatch: pytest.MonkeyPatch, provider: Provider, loads: int
) -> None:
    events = list[str]()
    monkeypatch.setenv(TF32, "1")
    opened = ort.InferenceSession.__init__

    def opening(*how: Any, **more: Any) -> None:
        events.append("opened")
        opened(*how, **more)

    monkeypatch.setattr(ort, "preload_dlls", lambda: events.append(f"loaded, TF32={os.environ[TF32]}"))
    monkeypatch.setattr(ort.InferenceSession, "__init__", opening)
    with suppress(NotReadyError):
        OnnxSession(package, provider=provider)
    assert events == [*["loaded, TF32=0"] * loads, "opened"]


@pytest.mark.usefixtures("unprepared")
@pytest.mark.parametrize("provider", absent)
def test_what_is_said_of_absent_libraries_is_said_once_and_not_among_the_answers_of_a_command(
    package: Package,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    provider: Provider,
) -> None:
    monkeypatch.setattr(ort, "preload_dlls", lambda: print("Failed to load libcudnn.so.9"))  # noqa: T201 - as it does
    for _ in range(2):
        with pytest.raises(NotReadyError):
            OnnxSession(package, provider=provider)
    said = capsys.readouterr()
    assert (said.out, said.err.count("libcudnn")) == ("", 1)


OUT_OF_MEMORY = ort_errors.Fail(
    "Exception during initialization: bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 995328"
)
NO_DEVICE = RuntimeError("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=secret")
BROKEN = ort_errors.Fail("Exception during initialization: CUDA failure 700: an illegal memory access")


@pytest.mark.parametrize(
    ("said", "expected", "told"),
    [
        (OUT_OF_MEMORY, OverloadedError, "no memory left for model.onnx"),
        (NO_DEVICE, NotReadyError, "CUDAExecutionProvider was asked for .* failed to begin with it"),
        (BROKEN, NotReadyError, "Check driver, libraries and NEUROFUSE_DEVICES"),
        (ort_errors.InvalidGraph("node 3"), PackageInvalidError, "cannot be opened .*InvalidGraph"),
    ],
)
def test_a_device_that_is_full_or_absent_is_no_fault_of_the_package(
    package: Package,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: Exception,
    expected: type[Exception],
    told: str,
) -> None:
    """As `onnxruntime-gpu` 1.31 said it, without a driver, with one that finds no card, and on a full one."""

    def fail(*_how: object) -> None:
        raise said

    monkeypatch.setattr(ort, "get_available_providers", lambda: [*GPUS.values(), "CPUExecutionProvider"])
    monkeypatch.setattr(ort.InferenceSession, "_create_inference_session", fail)
    with capture_logs() as lines, pytest.raises(expected, match=told) as caught:
        OnnxSession(package, provider="cuda")
    assert "secret" not in str(caught.value)
    assert [line["detail"] for line in lines] == ([str(said)] if expected is NotReadyError else [])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("said", "expected"), [(OUT_OF_MEMORY, PackageInvalidError), (MemoryError(), OverloadedError)]
)
def test_a_graph_that_asks_a_cpu_for_an_absurd_buffer_is_at_fault(
    package: Package, monkeypatch: pytest.MonkeyPatch, said: Exception, expected: type[Exception]
) -> None:
    def fail(*_how: object) -> None:
        raise said

    monkeypatch.setattr(ort.InferenceSession, "_create_inference_session", fail)
    with pytest.raises(expected, match=r"model\.onnx"):
        OnnxSession(package)


@pytest.mark.parametrize("provider", absent)
def test_a_gpu_that_is_not_there_is_not_silently_replaced(package: Package, provider: Provider) -> None:
    with pytest.raises(NotReadyError, match=f"{GPUS[provider]} was asked for.*CPUExecutionProvider"):
        OnnxSession(package, provider=provider)
