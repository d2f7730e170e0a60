"""app.api.json_body: a body is read up to its bounds on bytes and time, and no further."""

from collections.abc import Sequence

import anyio
import pytest
from starlette.requests import Request
from starlette.types import Message

from app.api.json_body import read_body
from app.errors import MalformedRequestError, UploadTooLargeError


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
