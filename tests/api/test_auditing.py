"""What the trail says of a request that no answer ends, and what leaves no line."""

from contextlib import closing, suppress
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.auditing import Auditing
from app.inference.ticket import AbandonedError
from app.records.store import RecordStore

READ = "/predictions/{prediction_id}"


def outcomes(folder: Path, app: ASGIApp, method: str, template: str) -> list[str]:
    """Of the lines that one request leaves."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        """To nobody."""

    with closing(RecordStore(folder / "records.sqlite3")) as records:
        runtime = SimpleNamespace(audit=records.audit)
        state = {"runtime": runtime, "request_id": "", "route_template": template}
        scope = {"type": "http", "method": method, "path": template, "headers": [], "state": state}
        with suppress(Exception):
            anyio.run(Auditing(app), scope, receive, send)
        return [line.deed.outcome for line in records.audit.lines()]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ClientDisconnect(), "abandoned"), (AbandonedError(), "abandoned"), (ValueError(), "internal")],
)
def test_of_a_client_that_went_and_of_a_fault_the_line_says_which(
    tmp_path: Path, error: Exception, outcome: str
) -> None:
    async def raising(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error

    assert outcomes(tmp_path, raising, "POST", "/predict") == [outcome]


@pytest.mark.parametrize(
    ("method", "template", "status", "lines"),
    [
        ("GET", READ, HTTPStatus.ACCEPTED, []),
        ("GET", READ, HTTPStatus.OK, ["ok"]),
        ("POST", "/predict", HTTPStatus.ACCEPTED, ["ok"]),
        ("GET", "/jobs/{job_id}", HTTPStatus.OK, []),
    ],
)
def test_asking_whether_an_answer_is_there_leaves_no_line_and_reading_it_does(
    tmp_path: Path, method: str, template: str, status: HTTPStatus, lines: list[str]
) -> None:
    assert outcomes(tmp_path, Response(status_code=status), method, template) == lines
