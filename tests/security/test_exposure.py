"""The service does not begin where it would lie open, or with half of what TLS needs."""

from pathlib import Path

import pytest

from app.errors import MalformedRequestError
from app.security.exposure import require_safe
from app.settings import Settings
from tests.service.test_access import make_certificate


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_this_machine_alone_may_be_served_without_authentication(host: str) -> None:
    require_safe(Settings(host=host))


BEYOND = ["0.0.0.0", "::", "192.0.2.7", "neurofuse.example", "localhost.example", "127.0.0.1.example"]  # noqa: S104 - refused


@pytest.mark.parametrize("host", BEYOND)
def test_others_may_not(host: str) -> None:
    with pytest.raises(MalformedRequestError, match="NEUROFUSE_AUTHENTICATION=on"):
        require_safe(Settings(host=host))
    require_safe(Settings(host=host, authentication="on"))


def test_a_chain_and_its_key_are_taken(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    require_safe(Settings(tls_certificate=str(chain), tls_key=str(key)))


def test_a_chain_without_its_key_is_not(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = make_certificate(tmp_path / "other")
    for chain_file, key_file in (
        (chain, ""),
        ("", key),
        (chain, other),
        (chain, chain),
        (chain, tmp_path / "absent"),
    ):
        with pytest.raises(MalformedRequestError, match="NEUROFUSE_TLS_"):
            require_safe(Settings(tls_certificate=str(chain_file), tls_key=str(key_file)))
