"""The page on metrics lists what is there and nothing else."""

import re
from pathlib import Path
from types import SimpleNamespace

from prometheus_client.metrics_core import Metric

from app.data_folder.layout import DataFolder
from app.metrics import Metrics
from app.monitoring.certificate import CertificateCollector
from app.monitoring.drift import DriftWatch
from app.monitoring.gpu import GpuCollector
from app.monitoring.keys import KeyWatch
from app.monitoring.machine import MachineCollector
from app.monitoring.outcomes import OutcomeWatch
from app.monitoring.packages import PackageCollector
from app.records.store import RecordStore

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
UNSURE = {"neurofuse_memory_used_bytes", "neurofuse_memory_limit_bytes"}
"""Only a container with a limit tells them."""


def families(data: Path) -> list[Metric]:
    metrics = Metrics()
    no_card = SimpleNamespace(NVMLError=OSError, nvmlDeviceGetCount=lambda: 0)
    folder = DataFolder(data)
    folder.prepare()
    records = RecordStore(folder.database)
    metrics.registry.register(DriftWatch(records.predictions, list, Metrics().watch_faults))
    metrics.registry.register(OutcomeWatch(records.feedback, list, Metrics().watch_faults))
    metrics.registry.register(KeyWatch(records.api_keys))
    metrics.registry.register(CertificateCollector(""))
    metrics.registry.register(PackageCollector(list))
    metrics.registry.register(MachineCollector(data, "1.2.3"))
    metrics.registry.register(GpuCollector(no_card))
    found = list(metrics.registry.collect())
    records.close()
    return found


def test_every_metric_is_listed_with_its_labels_and_no_other(tmp_path: Path) -> None:
    rows = "\n".join(row for row in PAGE.splitlines() if row.startswith("| `"))
    listed = dict(re.findall(r"`((?:neurofuse|request)_\w+)(?:\{([\w,]+)\})?`", rows))
    told = {f"{each.name}_total" if each.type == "counter" else each.name for each in families(tmp_path)}
    assert set(listed) - UNSURE == {name for name in told if not name.startswith("process_")} - UNSURE
    assert set(listed) >= UNSURE


def test_labels_on_the_page_are_those_of_the_code() -> None:
    listed = dict(re.findall(r"`((?:neurofuse|request)_\w+)(?:\{([\w,]+)\})?`", PAGE))
    metrics = Metrics()
    for collector in {
        metrics.registry._names_to_collectors[name] for name in metrics.registry._names_to_collectors
    }:
        name = getattr(collector, "_name", None)
        if name is not None:
            known = listed.get(name, listed.get(f"{name}_total"))
            assert known is not None
            assert known == ",".join(getattr(collector, "_labelnames", ()))
