"""When the certificate that this service shows ends, so that it is renewed while clients still connect."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import structlog
from cryptography.x509 import load_pem_x509_certificates
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.stdlib.get_logger(__name__)


class CertificateCollector(Collector):
    """The gauge of the certificate, where this service ends TLS itself.

    Args:
        chain: File of the chain (PEM); empty where a proxy ends TLS. It is read here and never again, as the service itself does: a chain that was renewed is
            told of by the start that takes it into use.
    """

    def __init__(self, chain: str) -> None:
        self._ends = _first_end(Path(chain)) if chain else None

    def collect(self) -> Iterator[Metric]:
        """What was read at the start."""
        gauge = GaugeMetricFamily(
            "neurofuse_tls_certificate_expiry_timestamp_seconds",
            "When the first certificate of the chain ends, seconds since 1970.",
        )
        if self._ends is not None:
            gauge.add_metric((), self._ends.timestamp())
        yield gauge


def _first_end(chain: Path) -> datetime | None:
    """Not only that of the service's own: where one between it and the root ends, clients refuse it as well."""
    try:
        return min(each.not_valid_after_utc for each in load_pem_x509_certificates(chain.read_bytes()))
    except (OSError, ValueError):
        # This reader is stricter than the one of TLS; no gauge rather than no service.
        log.warning("certificate-unreadable")
        return None
