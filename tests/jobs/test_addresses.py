"""A webhook goes to an address that the operator named, and to nothing that only looks like one."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import WebhookRefusedError
from app.jobs.addresses import AllowedAddresses

HOSTS = "ris.example.org,hooks.example.org:8443,http://10.1.2.3:8080,[2001:db8::1]:443"
ALLOWED = AllowedAddresses(HOSTS, signed=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://ris.example.org/told?case=1",
        "https://RIS.example.org:443/",
        "https://hooks.example.org:8443/a",
        "http://10.1.2.3:8080/a",
        "https://[2001:db8::1]/a",
    ],
)
def test_a_named_address_passes(url: str) -> None:
    assert ALLOWED.judge(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://ris.example.org/",
        "https://ris.example.org:8443/",
        "https://hooks.example.org/",
        "https://10.1.2.3:8080/",
        "https://sub.ris.example.org/",
        "https://ris.example.org.evil.test/",
        "https://ris.example.org@evil.test/",
        "https://user@ris.example.org/",
        "https://evil.test/https://ris.example.org/",
        "https://evil.test#ris.example.org",
        "https://evil.test\\@ris.example.org/",
        "https://ris.example.org\\@evil.test/",
        "https://ris.example.org:99999/",
        "https://ris.example.org:0/",
        "https://ris.exampl\N{LATIN SMALL LETTER E WITH ACUTE}.org/",
        "https://ris.example.org/\r\nHost: evil.test",
        "//ris.example.org/",
        "ris.example.org",
        "file://ris.example.org/etc/passwd",
        "gopher://ris.example.org/",
        "",
        "https://ris.example.org/" + "x" * 2000,
    ],
)
def test_what_only_looks_like_it_is_refused(url: str) -> None:
    with pytest.raises(WebhookRefusedError):
        ALLOWED.judge(url)


@given(st.text(max_size=40), st.text("@:/\\?#[]%.0123\t evil", max_size=12))
def test_what_passes_is_called_where_it_was_judged(text: str, tail: str) -> None:
    """Two parsers that differ on one address are how such lists are passed by: the client's own must agree."""
    for url in (
        text,
        f"https://{tail}ris.example.org{tail}",
        f"https://ris.example.org{tail}",
        f"http:{tail}10.1.2.3:8080",
    ):
        try:
            ALLOWED.judge(url)
        except WebhookRefusedError:
            continue
        called = httpx.URL(url)
        assert (called.scheme, called.host, called.port) in {
            ("https", "ris.example.org", None),
            ("https", "hooks.example.org", 8443),
            ("http", "10.1.2.3", 8080),
        }


@pytest.mark.parametrize(("hosts", "signed"), [("", True), (HOSTS, False)])
def test_without_hosts_or_without_a_secret_nothing_passes(hosts: str, signed: bool) -> None:
    with pytest.raises(WebhookRefusedError):
        AllowedAddresses(hosts, signed=signed).judge("https://ris.example.org/")
