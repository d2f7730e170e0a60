"""A file as an answer: heatmap, image, picture or card, whole, in part, or not again."""

import os
from typing import Any, Final

import anyio.to_thread
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import MalformedRangeHeader
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Receive, Scope, Send

from app.api.response_headers import CONTENT_RANGE, ETAG

_STATIC: Final = StaticFiles()


class FileAnswer(FileResponse):
    """Starlette's own, and what RFC 9110 asks for beside it.

    Who has the file (`If-None-Match`, section 13.1.2) does not get it again. A `Range` that cannot be read is ignored (section 14.2): Starlette
    refuses it, as text, where every other refusal is a problem document.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, if it is to be sent."""
        self.stat_result = await anyio.to_thread.run_sync(os.stat, self.path)
        self.set_stat_headers(self.stat_result)
        if _STATIC.is_not_modified(self.headers, Headers(scope=scope)):
            await NotModifiedResponse(self.headers)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:
            return []  # the whole file


def file_responses(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of a file of this type."""
    binary = {} if media_type.startswith("text/") else {"format": "binary"}
    content = {media_type: {"schema": {"type": "string", **binary}}}
    return {
        200: {"content": content, "headers": ETAG},
        206: {
            "description": "The part that `Range` asks for.",
            "content": content,
            "headers": ETAG | CONTENT_RANGE,
        },
        304: {"description": "`If-None-Match` names the file as it is.", "headers": ETAG},
        416: {"description": "The part begins behind the end of the file.", "headers": CONTENT_RANGE},
    }
