"""app.api.json_body: a body is read up to its bounds on bytes and time, and no further."""

from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace

import anyio
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.types import Message

from app.api.json_body import BoundedJson, read_body
from app.api.problems import install_problem_handlers
from app.errors import MalformedRequestError, UploadTooLargeError
from app.predictions.record_text import MOST_MEMBERS
from app.settings import Settings


def read(chunks: Sequence[bytes], limit: int = 10, timeout_s: float = 10, *, whole: bool = True) -> bytes:
    """The body of a request that comes in chunks; where it is not whole, nothing more ever comes."""
    coming = list(chunks)

    async def receive() -> Message:
        if not coming:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming) or not whole}

    async def run() -> bytes:
        return await read_body(Request({"type": "http"}, receive), limit, timeout_s)

    return anyio.run(run)


def test_a_body_of_as_many_bytes_as_may_be_is_read_whole() -> None:
    assert read([b"[1, ", b"", b"2345]"]) == b"[1, 2345]"
    assert read([b"x" * 10]) == b"x" * 10


def test_a_body_of_more_bytes_is_refused_before_its_end() -> None:
    with pytest.raises(UploadTooLargeError) as refusal:
        read([b"x" * 10, b"x"], whole=False)
    assert refusal.value.fields["limit"] == 10


@pytest.mark.parametrize("chunks", [[], [b"{"]])
def test_a_body_that_does_not_come_in_its_time_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(MalformedRequestError, match=r"within 0\.05 seconds") as refusal:
        read(chunks, timeout_s=0.05, whole=False)
    assert refusal.value.fields["limit"] == 0.05


class Question(BaseModel):
    """Of a route that takes no members."""

    model_config = ConfigDict(extra="forbid")


@pytest.mark.parametrize(("members", "told"), [(MOST_MEMBERS, "unknown"), (MOST_MEMBERS + 1, "members")])
def test_a_body_of_more_members_than_any_has_is_refused_before_each_is_judged(
    members: int, told: str
) -> None:
    app, router = FastAPI(), APIRouter(route_class=BoundedJson)
    install_problem_handlers(app)

    @app.middleware("http")
    async def set_state(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.runtime, request.state.request_id = SimpleNamespace(settings=Settings()), ""
        return await go_on(request)

    @router.post("/")
    def ask(_question: Question) -> None:
        """Nothing."""

    app.include_router(router)

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/", json={f"n{number}": 1 for number in range(members)})

    response = anyio.run(asked)
    assert response.status_code == httpx.codes.BAD_REQUEST
    assert told in response.text
