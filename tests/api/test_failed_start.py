"""A start that fails is told to the server in one line of ours, and a server ends with its application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from app.api.failed_start import FailedStart, Server
from app.errors import StorageUnavailableError
from tests.support.ports import free_port


async def _told(error: BaseException, *, at_the_end: bool) -> list[Message]:
    """What a server is told of an application that fails so."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if not at_the_end:
            raise error
        yield
        raise error

    sent: list[Message] = []
    events = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> Message:
        return next(events)

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        sent.append(message)

    scope: dict[str, Any] = {"type": "lifespan", "asgi": {}, "state": {}}
    with pytest.raises(type(error)):
        await FailedStart(Starlette(lifespan=lifespan))(scope, receive, send)
    return sent


def caused() -> StorageUnavailableError:
    """An error of ours because of one of a library's."""
    error = StorageUnavailableError("Expected the database to answer; it does not. Try again later.")
    error.__cause__ = RuntimeError("PLANTED")
    return error


@pytest.mark.parametrize("at_the_end", [False, True])
def test_an_error_of_ours_is_told_in_its_own_words(at_the_end: bool) -> None:
    error = caused()
    failed = anyio.run(lambda: _told(error, at_the_end=at_the_end))[-1]
    assert failed["type"] == f"lifespan.{'shutdown' if at_the_end else 'startup'}.failed"
    assert failed["message"] == f"storage-unavailable: {error.detail}"


def test_a_file_that_is_in_the_way_is_named() -> None:
    with pytest.raises(OSError, match="lost\\+found") as raised:
        (Path("/proc") / "lost+found").mkdir()
    failed = anyio.run(lambda: _told(raised.value, at_the_end=False))[-1]
    assert failed["message"].startswith(f"{type(raised.value).__name__}: /proc/lost+found: ")


def test_a_fault_is_told_by_type_and_place() -> None:
    failed = anyio.run(lambda: _told(RuntimeError("PLANTED"), at_the_end=False))[-1]
    assert failed["message"].startswith("RuntimeError at ")
    assert "test_failed_start.py" in failed["message"]
    assert "PLANTED" not in failed["message"]
    assert "\n" not in failed["message"]


def test_of_tasks_that_fail_together_one_is_told() -> None:
    error = ExceptionGroup("PLANTED", [ExceptionGroup("PLANTED", [caused()])])
    failed = anyio.run(lambda: _told(error, at_the_end=True))[-1]
    assert failed["message"] == f"storage-unavailable: {caused().detail}"


def test_a_server_ends_where_its_application_has_ended_by_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async def fail() -> None:
            await started.wait()
            raise RuntimeError("PLANTED")

        async with anyio.create_task_group() as beside:
            beside.start_soon(fail)
            yield

    async def serve() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve)
            while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                await anyio.sleep(0.01)
            started.set()

    started = anyio.Event()
    server = Server(Starlette(lifespan=lifespan), host="127.0.0.1", port=free_port(), log_config=None)
    anyio.run(serve)
    assert server.application.has_failed
    assert "RuntimeError at " in caplog.text
    assert "PLANTED" not in caplog.text
