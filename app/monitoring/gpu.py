"""Gauges of NVIDIA cards, where there are any and the library that asks them (`nvidia-ml-py`, in the extra `gpu`) is installed."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MILLI: Final = 1000
PERCENT: Final = 100
CELSIUS: Final = 0
"""`NVML_TEMPERATURE_GPU`, the only sensor that NVML names."""


class GpuCollector(Collector):
    """Use, memory, temperature and power of every card.

    Args:
        nvml: The module `pynvml`, started; see `open_nvml`.
    """

    def __init__(self, nvml: Any) -> None:  # noqa: ANN401 - it ships no types
        self._nvml = nvml

    def collect(self) -> Iterator[Metric]:
        """One sample a card; what a card does not tell (a slice of one has no utilisation) is left out."""
        nvml = self._nvml
        families = {
            name: GaugeMetricFamily(f"neurofuse_gpu_{name}", text, labels=("gpu",))
            for name, text in {
                "utilization_ratio": "Share of time that kernels ran.",
                "memory_used_bytes": "Memory in use, by whomever.",
                "memory_bytes": "Memory of the card.",
                "temperature_celsius": "Temperature of the chip.",
                "power_watts": "Power drawn.",
            }.items()
        }
        with suppress(nvml.NVMLError):
            for index in range(nvml.nvmlDeviceGetCount()):
                handle, label = nvml.nvmlDeviceGetHandleByIndex(index), (str(index),)
                with suppress(nvml.NVMLError):
                    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
                    families["memory_used_bytes"].add_metric(label, memory.used)
                    families["memory_bytes"].add_metric(label, memory.total)
                with suppress(nvml.NVMLError):
                    busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / PERCENT
                    families["utilization_ratio"].add_metric(label, busy)
                with suppress(nvml.NVMLError):
                    degrees = nvml.nvmlDeviceGetTemperature(handle, CELSIUS)
                    families["temperature_celsius"].add_metric(label, degrees)
                with suppress(nvml.NVMLError):
                    families["power_watts"].add_metric(label, nvml.nvmlDeviceGetPowerUsage(handle) / MILLI)
        yield from families.values()


def open_nvml() -> Any | None:  # noqa: ANN401 - it ships no types
    """Start NVML; None where there is no library or no driver."""
    try:
        import pynvml  # noqa: PLC0415 - only machines with a card have it
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
