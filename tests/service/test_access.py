"""Who may come in, on running services: every route and every kind of caller, and what is refused before it costs anything."""

import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from app.api.access import ACCESS
from app.api.guard import REFUSALS_PER_MINUTE
from app.cli import main
from app.cohort.server_engine import remote_package
from app.errors import NotAuthenticatedError
from app.exit_status import OK
from app.settings import Settings
from tests.service.access_table import CALLERS, as_document, expected, guarded, tried, written
from tests.service.server import Server, serving
from tests.support.oidc import Provider
from tests.support.waiting import LONGEST_S

Headers = dict[str, dict[str, str]]
BAD_ONES = 2 * REFUSALS_PER_MINUTE
"""The bound gives back one a second: a machine that needs that long for two of them is none."""
BOUND = 20
"""Requests of a caller in a minute, and sign-ins of an address, which gives back one in three seconds."""
OURS = {"Host": "neurofuse.example:8443"}


@pytest.fixture(scope="module")
def bounded(
    gos_store: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Headers, dict[str, Path]]]:
    """A service with a name, TLS and low bounds, what callers show it, and its certificate and key by their settings."""
    folder = tmp_path_factory.mktemp("bounded")
    tls = dict(zip(("tls_certificate", "tls_key"), make_certificate(folder), strict=True))
    bound = {"hosts": "neurofuse.example", "requests_per_minute": BOUND}
    sign_ins = {"app.api.guard.SIGN_INS_PER_MINUTE": BOUND}
    with guarded(gos_store, folder / "var", provider, constants=sign_ins, **tls, **bound) as (
        server,
        headers,
    ):
        yield server, headers, tls


def test_every_route_lets_in_whom_the_table_says_and_the_page_shows_it(door: tuple[Server, Headers]) -> None:
    server, headers = door
    table = tried(server.client, headers)
    assert table == {route: {caller: expected(route, caller) for caller in CALLERS} for route in ACCESS}
    assert as_document(table) == written(), "python -m tests.service.access_table writes the page anew"


def test_a_stream_of_bad_credentials_lets_no_one_in_and_is_slowed_down(door: tuple[Server, Headers]) -> None:
    server, headers = door
    good = headers["clinician"]["Authorization"]
    bad = [f"{good[:-6]}{number:06x}" for number in range(BAD_ONES)]
    there = {"X-Forwarded-For": "10.7.7.7"}
    shown = ({"Authorization": each, **there} for each in bad if each != good)
    asked = [server.client.get("/predictions", headers=each) for each in shown]
    assert {each.status_code for each in asked} == {401, 429}
    assert all(int(each.headers["Retry-After"]) > 0 for each in asked if each.status_code == 429)
    # Whoever has a good one is not held up by others behind the same address.
    assert (
        server.client.get("/predictions", headers=there | headers["clinician"]).status_code == httpx.codes.OK
    )


def test_who_is_not_let_in_cannot_fill_the_audit_trail(door: tuple[Server, Headers]) -> None:
    server, _ = door
    there = {"X-Forwarded-For": "::ffff:10.7.8.9"}
    invented = {"Cookie": "neurofuse-session=invented", "Sec-Fetch-Site": "cross-site"}
    before = lines_of(server)
    asked = [server.client.get("/predictions", headers=there) for _ in range(40)]
    asked += [server.client.delete("/predictions/x", headers=there | invented) for _ in range(80)]
    assert {each.status_code for each in asked} == {401, 429}
    refused = sum(each.status_code == httpx.codes.UNAUTHORIZED for each in asked)
    assert lines_of(server) - before == refused, "none for those that were slowed down"
    # The addresses that a socket of both kinds tells are not one network.
    elsewhere = server.client.get("/predictions", headers={"X-Forwarded-For": "::ffff:10.9.9.9"})
    assert elsewhere.status_code == httpx.codes.UNAUTHORIZED


def lines_of(server: Server) -> int:
    with closing(sqlite3.connect(server.data / "records.sqlite3", timeout=LONGEST_S)) as records:
        count: int = records.execute("SELECT count(*) FROM audit").fetchone()[0]
        return count


def test_sign_ins_of_one_address_are_bounded_as_the_document_says(
    bounded: tuple[Server, Headers, object],
) -> None:
    client, there = bounded[0].client, OURS | {"X-Forwarded-For": "10.8.8.8"}
    paths = client.get("/openapi.json", headers=OURS).json()["paths"]
    for method, path in (("get", "/auth/sign-in"), ("get", "/auth/callback"), ("post", "/auth/sign-out")):
        # Each is asked until it is refused: the bound gives some back meanwhile.
        asked = (client.request(method, path, headers=there) for _ in range(BOUND * 2))
        refused = next(each for each in asked if each.status_code == httpx.codes.TOO_MANY_REQUESTS)
        assert refused.json()["type"] == "/problems/rate-limited"
        assert int(refused.headers["Retry-After"]) > 0
        assert "429" in paths[path][method]["responses"]
    elsewhere = client.get("/auth/sign-in", headers=OURS | {"X-Forwarded-For": "10.8.8.9"})
    assert elsewhere.status_code == httpx.codes.SEE_OTHER


def test_a_request_is_refused_before_its_body_comes(door: tuple[Server, Headers]) -> None:
    port = door[0].client.base_url.port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=LONGEST_S) as speaking:
        speaking.sendall(
            b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 10.9.9.9\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000000\r\n\r\n"
        )
        answer = b"".join(iter(lambda: speaking.recv(65536), b""))  # until the service closes
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()


def test_who_sends_the_body_before_it_reads_is_told_why_too(door: tuple[Server, Headers]) -> None:
    port = door[0].client.base_url.port
    with closing(HTTPConnection("127.0.0.1", port or 0, timeout=LONGEST_S)) as sending:
        for _ in range(2):
            sending.request("POST", "/predict", bytes(2**24), {"X-Forwarded-For": "10.9.9.10"})
            answer = sending.getresponse()
            assert answer.status == httpx.codes.UNAUTHORIZED
            assert json.load(answer)["type"] == "/problems/not-authenticated"


def test_headers_that_would_fill_the_memory_are_cut_off(door: tuple[Server, Headers]) -> None:
    port = door[0].client.base_url.port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=LONGEST_S) as speaking:
        speaking.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
        # Not so much that the bound on time could have ended it.
        with pytest.raises(OSError, match=r"reset|pipe"):
            speaking.sendall(b"x" * 2**24)


def test_a_key_that_is_taken_back_is_worth_nothing_at_once(
    door: tuple[Server, Headers], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, _ = door
    monkeypatch.setenv("NEUROFUSE_DATA", str(server.data))
    assert main(["keys", "create", "of a test", "--role", "system", "--role", "ops"]) == OK
    made = capsys.readouterr().out.strip()
    key_id, secret = made.split("_")[1:]
    shown = {"Authorization": f"Bearer {made}", "X-Forwarded-For": "10.8.8.8"}
    assert server.client.get("/models", headers=shown).status_code == httpx.codes.OK
    assert main(["keys", "revoke", key_id]) == OK
    assert server.client.get("/models", headers=shown).status_code == httpx.codes.UNAUTHORIZED
    kept = b"".join(file.read_bytes() for file in [*server.data.glob("records.sqlite3*"), server.log])
    assert key_id.encode() in kept
    assert secret.encode() not in kept


def test_a_cohort_is_sent_with_a_key_or_not_at_all(door: tuple[Server, Headers]) -> None:
    server, headers = door
    url, key = str(server.client.base_url), headers["system"]["Authorization"].removeprefix("Bearer ")
    assert remote_package(url, "gos", None, Settings(api_key=SecretStr(key))).manifest.task == "gos"
    for wrong in ("", "nfk_of-nobody"):
        with pytest.raises(NotAuthenticatedError, match="NEUROFUSE_API_KEY"):
            remote_package(url, "gos", None, Settings(api_key=SecretStr(wrong)))


def test_an_address_that_no_proxy_of_ours_vouches_for_is_not_believed(server: Server) -> None:
    # Where nobody is asked, other machines are refused by their address: this one says that it is another.
    forwarded = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    answer = server.client.get("/models", headers=forwarded)
    assert answer.status_code == httpx.codes.OK
    assert "Strict-Transport-Security" not in answer.headers


def test_no_other_site_is_told_anything(door: tuple[Server, Headers]) -> None:
    server, headers = door
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    for response in (
        server.client.options("/predictions", headers=asked),
        server.client.get("/predictions", headers=asked | headers["clinician"]),
    ):
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


def test_over_tls_with_a_name_and_a_bound_on_requests(
    bounded: tuple[Server, Headers, dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, headers, tls = bounded
    # Of another machine's probe only: the name is the one that clients use.
    other = {"Host": "elsewhere.example"}
    page = server.client.get("/problems", headers=OURS)
    assert (page.status_code, page.headers["Strict-Transport-Security"]) == (200, "max-age=31536000")
    assert server.client.get("/problems", headers=other).status_code == httpx.codes.BAD_REQUEST
    assert server.client.get("/livez", headers=other).status_code == httpx.codes.OK

    asked = [server.client.get("/models", headers=OURS | headers["system"]) for _ in range(2 * BOUND)]
    assert [each.status_code for each in asked[:BOUND]] == [200] * BOUND
    refused = [each for each in asked if each.status_code != httpx.codes.OK]
    assert {(each.status_code, each.headers["Retry-After"]) for each in refused} == {(429, "3")}
    # One caller's haste is nobody else's.
    assert server.client.get("/models", headers=OURS | headers["ops"]).status_code == httpx.codes.OK
    for name, value in {"port": server.client.base_url.port, **tls}.items():
        monkeypatch.setenv(f"NEUROFUSE_{name.upper()}", str(value))
    assert main(["healthcheck"]) == OK


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "of a test")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "chain.pem", folder / "key.pem"


def test_the_command_says_so_and_ends(tmp_path: Path) -> None:
    environment = {"NEUROFUSE_HOST": "0.0.0.0", "NEUROFUSE_DATA": str(tmp_path)}  # noqa: S104 - refused
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "NEUROFUSE_AUTHENTICATION=on" in ended.stderr


@pytest.mark.parametrize("origin", ["null", "http://[", "http://127.0.0.1", "https://elsewhere.example", ""])
def test_where_nobody_is_asked_only_our_own_origin_may_change_something(server: Server, origin: str) -> None:
    answer = server.client.post("/predict", headers={"Origin": origin})
    assert answer.json()["type"] == "/problems/cross-site"
    own = server.client.post("/predict", headers={"Origin": str(server.client.base_url)})
    assert own.json()["type"] == "/problems/malformed-request"


def test_where_nobody_is_asked_other_sites_cannot_fill_the_audit_trail(
    tmp_path: Path,
) -> None:
    (tmp_path / "store").mkdir()
    with serving(tmp_path / "store", tmp_path / "var", ready=False) as own:
        post = own.client.post
        asked = [post("/predict", headers={"Sec-Fetch-Site": "cross-site"}) for _ in range(100)]
        asked += [post("/predict", headers={"Host": "rebound.example"}) for _ in range(20)]
        assert {each.status_code for each in asked} == {400, 403, 429}
        refused = sum(each.status_code == httpx.codes.FORBIDDEN for each in asked)
        assert lines_of(own) == refused, "none for those that were slowed down"


def test_where_nobody_is_asked_other_sites_and_other_machines_are_refused(server: Server) -> None:
    ask = server.client.request
    assert (
        ask("POST", "/predict", headers={"Sec-Fetch-Site": "cross-site"}).status_code == httpx.codes.FORBIDDEN
    )
    assert (
        ask("POST", "/predict", headers={"Origin": "https://elsewhere.example"}).status_code
        == httpx.codes.FORBIDDEN
    )
    assert ask("GET", "/models", headers={"Host": "rebound.example"}).status_code == httpx.codes.BAD_REQUEST
    assert ask("GET", "/models", headers={"Host": "localhost:8000"}).status_code == httpx.codes.OK
    assert ask("GET", "/models", headers={"Sec-Fetch-Site": "cross-site"}).status_code == httpx.codes.OK
