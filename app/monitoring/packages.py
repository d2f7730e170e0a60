"""Which packages answer, and on what."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.inference.predictor import Predictor


class PackageCollector(Collector):
    """One sample for every package that is ready.

    Args:
        ready: They.
    """

    def __init__(self, ready: Callable[[], Iterable[Predictor]]) -> None:
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        """Name, version, digest and provider of each."""
        info = GaugeMetricFamily(
            "neurofuse_package_info",
            "Always 1: a package that is ready, and the execution provider that runs it.",
            labels=("model_name", "model_version", "sha256", "provider"),
        )
        for predictor in self._ready():
            manifest, session = predictor.package.manifest, predictor.session
            info.add_metric(
                (manifest.name, str(manifest.version), predictor.package.sha256, session.provider), 1
            )
        yield info
