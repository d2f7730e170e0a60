"""The end of the certificate that clients are shown is told while there is time to renew it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.monitoring.certificate import CertificateCollector

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def certificate(days: int) -> bytes:
    """One that ends so many days from now, as PEM with the words that `openssl` writes above it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]),
    )
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return b"subject=CN = a\n" + made.public_bytes(Encoding.PEM)


def told(chain: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(CertificateCollector(chain))
    return registry.get_sample_value("neurofuse_tls_certificate_expiry_timestamp_seconds")


def test_what_is_told_is_the_first_end_in_the_chain(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate(90) + certificate(30) + certificate(3650))
    assert told(str(chain)) == (NOW + timedelta(days=30)).timestamp()


def test_one_that_was_renewed_is_told_of_when_it_is_in_use(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate(10))
    registry = CollectorRegistry()
    registry.register(CertificateCollector(str(chain)))
    chain.write_bytes(certificate(100))
    shown = registry.get_sample_value("neurofuse_tls_certificate_expiry_timestamp_seconds")
    assert shown == (NOW + timedelta(days=10)).timestamp(), "the service still shows the old one"


def test_nothing_is_told_where_a_proxy_ends_tls_or_the_chain_cannot_be_read(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"no certificate")
    with capture_logs() as lines:
        assert [told(""), told(str(chain)), told(str(tmp_path / "absent.pem"))] == [None] * 3
    assert [line["event"] for line in lines] == ["certificate-unreadable"] * 2
