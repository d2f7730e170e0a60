"""What the machine tells, and what it leaves out."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from app.monitoring import machine
from app.monitoring.gpu import GpuCollector, open_nvml
from app.monitoring.machine import MachineCollector


class NoAnswerError(Exception):
    """As NVML raises it."""


def unknown(_handle: object) -> object:
    raise NoAnswerError


def told(collector: MachineCollector | GpuCollector) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("neurofuse_"), *sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
    }


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "b = bytearray(60_000_000); input()"], stdin=subprocess.PIPE
    )
    yield process
    process.communicate(b"\n")


def test_disk_and_version_are_told(tmp_path: Path) -> None:
    found = told(MachineCollector(tmp_path, "1.2.3"))
    assert 0 < found["disk_free_bytes",] <= found["disk_bytes",]
    assert any(key[:2] == ("build_info", "1.2.3") for key in found)


def test_memory_of_processes_below_is_told(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    collector = MachineCollector(tmp_path, "1")
    while told(collector)["workers_resident_memory_bytes",] < 50_000_000:
        assert child.poll() is None
    assert child.poll() is None


def test_memory_of_a_container_is_told_only_where_it_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert ("memory_limit_bytes",) not in told(MachineCollector(tmp_path, "1"))
    (tmp_path / "memory.max").write_text("1000\n")
    found = told(MachineCollector(tmp_path, "1"))
    assert (found["memory_used_bytes",], found["memory_limit_bytes",]) == (700, 1000)


def test_memory_of_a_unit_of_systemd_is_that_of_its_own_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.write_text("4:memory:/elsewhere\n0::/system.slice/neurofuse.service\n")
    monkeypatch.setattr(machine, "OWN_CGROUP", own)
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    unit = tmp_path / "system.slice" / "neurofuse.service"
    unit.mkdir(parents=True)
    # The top has no such files.
    for name, text in (
        ("memory.max", "1000\n"),
        ("memory.current", "700\n"),
        ("memory.stat", "inactive_file 100\n"),
    ):
        (unit / name).write_text(text)
    found = told(MachineCollector(tmp_path, "1"))
    assert (found["memory_used_bytes",], found["memory_limit_bytes",]) == (600, 1000)


def test_files_that_the_kernel_keeps_at_hand_are_no_memory_that_a_container_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("990\n")
    (tmp_path / "memory.stat").write_text("anon 290\nfile 700\nactive_file 100\ninactive_file 600\n")
    assert told(MachineCollector(tmp_path, "1"))["memory_used_bytes",] == 390


def test_a_folder_that_is_not_there_yet_costs_its_gauges_only(tmp_path: Path) -> None:
    found = told(MachineCollector(tmp_path / "absent", "1"))
    assert ("disk_bytes",) not in found
    assert ("workers_resident_memory_bytes",) in found


def test_what_a_card_does_not_tell_is_left_out() -> None:
    # As a slice of a card answers: memory, and no utilisation.
    nvml = SimpleNamespace(
        NVMLError=NoAnswerError,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=10 * handle, total=100),
        nvmlDeviceGetUtilizationRates=unknown,
        nvmlDeviceGetTemperature=lambda _handle, _sensor: 61,
        nvmlDeviceGetPowerUsage=lambda _handle: 70_500,
    )
    found = told(GpuCollector(nvml))
    assert found["gpu_memory_used_bytes", "1"] == 10
    assert found["gpu_memory_bytes", "0"] == 100
    assert found["gpu_temperature_celsius", "0"] == 61
    assert found["gpu_power_watts", "1"] == 70.5
    assert not any(key[0] == "gpu_utilization_ratio" for key in found)


def test_a_driver_that_went_away_costs_no_scrape() -> None:
    nvml = SimpleNamespace(NVMLError=NoAnswerError, nvmlDeviceGetCount=lambda: unknown(None))
    registry = CollectorRegistry()
    registry.register(GpuCollector(nvml))
    assert told(GpuCollector(nvml)) == {}


def test_a_machine_without_a_driver_has_no_cards() -> None:
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a card")
    assert open_nvml() is None
