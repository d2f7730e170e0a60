"""Why a service did not start, or ended badly, in our own words.

Starlette hands the server a whole traceback to log, and in it what libraries say: the host and the port of the database, for one.
"""

import sys
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NeuroFuseError
from app.telemetry import describe_exception

FAILED: Final = ("lifespan.startup.failed", "lifespan.shutdown.failed")


class FailedStart:
    """An application whose start or end, where it fails, is told to the server in one line.

    Args:
        app: What is started.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but the words of a failure."""

        async def told(message: Message) -> None:
            if message["type"] in FAILED:
                # It is sent where the error is handled: that is the one at hand.
                message = {**message, "message": _words(sys.exception())}
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "lifespan" else send)


def _words(error: BaseException | None) -> str:
    match error:
        case None:
            return ""
        case NeuroFuseError():
            return f"{error.code}: {error.detail}"
        case OSError(filename=str() as file, strerror=str() as reason):  # of the operator's own settings
            return f"{type(error).__name__}: {file}: {reason}"
    described = describe_exception(error)
    return f"{described['error_type']} at {'; '.join(described['where'])}"
