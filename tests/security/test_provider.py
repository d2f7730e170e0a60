"""One at a time fetches what the provider publishes; whoever comes meanwhile is not kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import ProviderUnavailableError
from app.security import provider as documents
from app.security.provider import ProviderDocuments, is_safe
from tests.support.hanging import Hanging
from tests.support.oidc import Provider
from tests.support.waiting import LONGEST_S

LONG_S = 600.0


def test_who_comes_while_another_waits_for_a_provider_that_hangs_is_told_so(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Hanging(provider.configuration())
    monkeypatch.setattr(provider, "configuration", hanging)
    monkeypatch.setattr(documents, "WITHIN_S", LONG_S)
    known = ProviderDocuments(provider.issuer)
    with ThreadPoolExecutor() as callers:
        first = callers.submit(known.configuration)
        hanging.wait_until_asked()
        try:
            with pytest.raises(ProviderUnavailableError):
                callers.submit(known.configuration).result(LONGEST_S)
        finally:
            hanging.go_on.set()
        assert first.result()["issuer"] == provider.issuer


def test_who_comes_while_another_fetches_shares_what_comes_in_time(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "PATIENCE_S", LONG_S)
    known = ProviderDocuments(provider.issuer)
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda _: known.configuration()["issuer"], range(8)))
    assert found == [provider.issuer] * 8
    assert provider.key_fetches == 1


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://provider.example/keys", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://[::1]/keys", True),
        ("http://provider.example/keys", False),
        ("https:///keys", False),
        ("ftp://127.0.0.1/keys", False),
        ("https://[/keys", False),
        ("", False),
    ],
)
def test_documents_come_over_tls_or_from_this_machine(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
