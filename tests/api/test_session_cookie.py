"""Cookies of the page: bound to this host where TLS is, and no less careful where it is not."""

import pytest
from starlette.responses import Response

from app.api.session_cookie import ATTEMPT, SESSION, Cookie, forget_cookie, page_address, set_cookie
from app.settings import Settings

BEHIND_PROXY = Settings(public_url="https://brain.example/")
TLS_OF_ITS_OWN = Settings(tls_certificate="chain.pem", tls_key="key.pem", host="brain.example", port=8443)


def cookie(name: Cookie, settings: Settings) -> set[str]:
    response = Response()
    set_cookie(response, name, "value", settings)
    return set(response.headers["Set-Cookie"].split("; "))


@pytest.mark.parametrize("settings", [BEHIND_PROXY, TLS_OF_ITS_OWN])
def test_behind_tls_a_cookie_is_bound_to_this_host(settings: Settings) -> None:
    # `Domain` would take the prefix's meaning away (RFC 6265bis, section 4.1.3.2).
    common = {"HttpOnly", "Secure", "Path=/"}
    assert cookie(SESSION, settings) == common | {"__Host-neurofuse-session=value", "SameSite=strict"}
    attempt = {"__Host-neurofuse-sign-in=value", "SameSite=lax", "Max-Age=600"}
    assert cookie(ATTEMPT, settings) == common | attempt


def test_on_this_machine_alone_a_cookie_does_without_tls() -> None:
    assert cookie(SESSION, Settings()) == {"neurofuse-session=value", "HttpOnly", "Path=/", "SameSite=strict"}


def test_a_cookie_is_taken_back_under_its_whole_name() -> None:
    response = Response()
    forget_cookie(response, SESSION, BEHIND_PROXY)
    taken = response.headers["Set-Cookie"]
    assert taken.startswith('__Host-neurofuse-session=""')
    assert {"Max-Age=0", "Secure", "Path=/"} <= set(taken.split("; "))


def test_the_page_lies_where_the_operator_says_or_where_the_service_listens() -> None:
    here = Settings(host="::1", port=81)
    addresses = [page_address(settings) for settings in (BEHIND_PROXY, TLS_OF_ITS_OWN, here)]
    assert addresses == ["https://brain.example", "https://brain.example:8443", "http://[::1]:81"]
