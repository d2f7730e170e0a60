"""Bodies of JSON requests, bounded: FastAPI by itself would gather whatever a client sends in memory."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

import anyio
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from app.api.runtime import Runtime
from app.errors import MalformedRequestError, UploadTooLargeError
from app.predictions.record_text import require_few_members, strict_json

MAX_JSON_BYTES: Final = 2**20


class BoundedJson(APIRoute):
    """A route whose body is read here, up to `MAX_JSON_BYTES`, before FastAPI parses it.

    Raises:
        UploadTooLargeError: The body has more.
        MalformedRequestError: It takes longer than the operator allows, or has too many members.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the bound."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            runtime: Runtime = request.state.runtime
            body = await read_body(request, MAX_JSON_BYTES, runtime.settings.upload_timeout_s)
            require_few_members(body.count(b":"))
            return await handle(_StrictRequest(request.scope, _replay(request, body)))

        return bounded


class _StrictRequest(Request):
    """As Starlette's, but a name that is given twice in one object is no JSON: the last value would win, whoever meant the first."""

    async def json(self) -> Any:  # noqa: ANN401 - as Starlette's
        """The body, parsed.

        Raises:
            json.JSONDecodeError: It is no JSON, or no strict one; it is nested too deep.
        """
        try:
            return strict_json(await self.body())
        except json.JSONDecodeError:
            raise
        except ValueError:
            raise json.JSONDecodeError("not strict JSON", "", 0) from None


async def read_body(request: Request, limit: int, timeout_s: float) -> bytes:
    """The whole body.

    Args:
        request: Nothing of its body has been read.
        limit: Most bytes.
        timeout_s: Seconds in which it has to be here.

    Raises:
        UploadTooLargeError: There are more.
        MalformedRequestError: It is too slow.
    """
    gathered = bytearray()
    try:
        with anyio.fail_after(timeout_s):
            async for chunk in request.stream():
                gathered += chunk
                if len(gathered) > limit:
                    raise UploadTooLargeError(
                        f"Expected at most {limit} bytes of JSON; the request has more.",
                        limit=limit,
                    )
    except TimeoutError:
        raise MalformedRequestError(
            f"Expected the whole request within {timeout_s:g} seconds; it was not. Send it faster.",
            limit=timeout_s,
        ) from None
    return bytes(gathered)


def _replay(request: Request, body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    """Gives the body once, then what the connection says, so that a client that leaves is still noticed."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await request.receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
