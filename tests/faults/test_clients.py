"""Clients that are slow, stop, or leave half-way cost the service nothing that others need."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.api.connection_bounds import HEADER_TIMEOUT_S
from tests.faults.conftest import HURRIED_S
from tests.faults.connections import connected, form, head, rest, trickle
from tests.faults.outcomes import Outcome
from tests.service.server import Server, serving
from tests.service.test_load import wait_for_pending

TRICKLERS = 200
UPLOAD_S = 2
OF_JSON = (
    "POST /v2/models/gos/infer",
    "POST /batches",
    "PUT /predictions/01a2222e-39d8-72f8-acc6-a852b5c1106a/feedback",
)
"""Routes that read it, as `/predict` reads a form."""
BEGUN = [head(1 << 20) + form(b"")[:100]] + [
    head(1 << 20, route, "application/json") + b"{" for route in OF_JSON
]
"""A request to each, and a part of its body."""


@pytest.fixture
def impatient(store: Path, tmp_path: Path) -> Iterator[Server]:
    """A service that waits no longer for a body. What sends whole ones does so elsewhere: it might be too slow."""
    shutil.copytree(store / "gos" / "1", tmp_path / "store" / "gos" / "1")
    with serving(tmp_path / "store", tmp_path / "var", upload_timeout_s=UPLOAD_S) as running:
        yield running


@pytest.mark.fault(
    "slow client: headers",
    f"a connection whose headers are not complete after {HEADER_TIMEOUT_S:.0f} s is closed; others are answered meanwhile",
)
def test_clients_that_never_finish_their_headers_are_cut_off(
    server: Server, head_ct: Path, outcome: Outcome
) -> None:
    with ExitStack() as open_connections:
        began = time.monotonic()
        slow = []
        for _ in range(TRICKLERS):
            slow.append(open_connections.enter_context(connected(server)))
            slow[-1].sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\n")
        assert server.predict(head_ct, task="gos").status_code == 200
        for each in slow:
            assert rest(each) == b""
        outcome.saw(
            f"{TRICKLERS} connections closed after {time.monotonic() - began:.0f} s (set to {HURRIED_S} s); a case beside them: 200"
        )
        assert time.monotonic() - began > HURRIED_S - 1
    assert server.client.get("/livez").status_code == 200


@pytest.mark.fault(
    "slow client: body",
    "400 `malformed-request` once `NEUROFUSE_UPLOAD_TIMEOUT_S` is over; its place is free, nothing is left",
)
def test_clients_that_stop_or_trickle_in_mid_body_lose_their_places(
    impatient: Server, outcome: Outcome
) -> None:
    """That they have one before is seen where a client half-closes: here it might be over by then."""
    with ExitStack() as open_connections:
        stopping, trickling = (
            [open_connections.enter_context(connected(impatient)) for _ in BEGUN] for _ in range(2)
        )
        slow = [*zip(BEGUN * 2, stopping + trickling, strict=True)]
        for begun, each in slow:
            each.sendall(begun)
        with outcome.timed(f"400 after {{}} (set to {UPLOAD_S} s)"):
            trickle(trickling)
        for begun, each in slow:
            lines, _, body = rest(each).partition(b"\r\n\r\n")
            assert lines.startswith(b"HTTP/1.1 400"), begun
            problem = json.loads(body)
            assert (problem["type"], problem["limit"]) == ("/problems/malformed-request", UPLOAD_S), begun
    wait_for_pending(impatient, 0)
    assert impatient.uploads_left() == []


@pytest.mark.fault(
    "slow client: does not read its answer",
    "holds a connection, and neither a place nor a thread: other cases are answered",
)
def test_clients_that_do_not_read_hold_nothing_that_others_need(
    server: Server, head_ct: Path, outcome: Outcome
) -> None:
    link = server.predict(head_ct, task="gos").json()["heatmap"]["nifti"]
    with ExitStack() as open_connections:
        for _ in range(50):
            connection = open_connections.enter_context(connected(server))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET {link} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 20)
        assert server.predict(head_ct, task="gos").status_code == 200
        outcome.saw("50 such clients, 20 requests each; a case beside them: 200")
    assert server.client.get("/livez").status_code == 200


@pytest.mark.fault(
    "half-closed connection: in mid-upload",
    "the client is taken as gone: no answer, its place is free, nothing is left",
)
def test_a_client_that_half_closes_in_mid_upload_is_gone(
    server: Server, head_ct: Path, outcome: Outcome
) -> None:
    body = form(head_ct.read_bytes())
    with connected(server) as connection:
        connection.sendall(head(len(body)) + body[: len(body) // 2])
        wait_for_pending(server, 1)
        connection.shutdown(socket.SHUT_WR)
        with outcome.timed("place free after {}"):
            wait_for_pending(server, 0)
        assert rest(connection) == b""
    assert server.uploads_left() == []


@pytest.mark.fault(
    "half-closed connection: after the whole request",
    "the client is taken as gone, as by most servers on asyncio: the case is dropped before the network runs or its answer "
    "is kept under its id; its place is free, nothing is left",
)
def test_a_client_that_half_closes_after_its_request_is_gone(
    server: Server, head_ct: Path, outcome: Outcome
) -> None:
    body = form(head_ct.read_bytes())
    before = server.client.get("/predictions").json()["total"]
    with connected(server) as connection:
        connection.sendall(head(len(body)) + body)
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == b""
    wait_for_pending(server, 0)
    kept = server.client.get("/predictions").json()["total"] - before
    assert kept in (0, 1)
    outcome.saw(f"no answer on the connection, {kept} kept")
    assert server.uploads_left() == []
    assert server.predict(head_ct, task="gos").status_code == 200
