"""A multipart request streamed to disk: bounded in bytes, files and time, never whole in memory.

Starlette's own form parser is not used: it caps a form at 1000 files, keeps up to 1 MiB of each in memory, and spools to
the system's temporary folder. This one writes every `image` part into the given folder under a number; the name a
client sends is neither used nor kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app.api.form_receiver import Form, FormReceiver, UploadLimits
from app.errors import MalformedRequestError, UploadTooLargeError
from app.scratch_folders import ScratchFolders

BLOCK_BYTES: Final = 2**20
"""Bytes gathered before a worker thread parses and writes them: few hops, little memory."""
MOST_CHUNKS: Final = 256
"""Chunks gathered likewise, here and before: a client that sends a byte at a time would have an object kept for each."""


@asynccontextmanager
async def upload_folder(folders: ScratchFolders) -> AsyncIterator[Path]:
    """A folder of its own for one request, emptied however the request ends; the answer does not wait for that."""
    folder = folders.at_hand()
    if folder is None:
        folder = await anyio.to_thread.run_sync(folders.take)
    try:
        yield folder
    finally:
        if not folders.leave(folder):
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(folders.give_back, folder)


async def receive_form(request: Request, folder: Path, limits: UploadLimits) -> Form:
    """Stream the body of a request into a folder.

    Args:
        request: Its body has not been read.
        folder: Empty; the images are written here.
        limits: Bounds.

    Raises:
        MalformedRequestError: Not a multipart form of the known parts, cut short, or too slow.
        UploadTooLargeError: A bound is passed.
    """
    if int(request.headers.get("Content-Length", 0)) > limits.max_bytes:
        raise _too_many_bytes(limits)
    receiver = FormReceiver(_boundary(request), folder, limits)
    try:
        with anyio.fail_after(limits.timeout_s):
            async for block in _blocks(request, limits):
                await anyio.to_thread.run_sync(receiver.write, block)
    except TimeoutError:
        raise MalformedRequestError(
            f"Expected the whole request within {limits.timeout_s:g} seconds; it was not. Send it faster.",
            limit=limits.timeout_s,
        ) from None
    finally:
        receiver.close()
    return receiver.finished()


def _boundary(request: Request) -> bytes:
    kind, parameters = parse_options_header(request.headers.get("Content-Type"))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise MalformedRequestError("Expected multipart/form-data with a boundary in Content-Type.")
    return parameters[b"boundary"]


async def _blocks(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    gathered: list[bytes] = []
    size = total = 0
    async for chunk in request.stream():
        size += len(chunk)
        total += len(chunk)
        if total > limits.max_bytes:
            raise _too_many_bytes(limits)
        gathered.append(chunk)
        if size >= BLOCK_BYTES or len(gathered) >= MOST_CHUNKS:
            yield b"".join(gathered)
            gathered.clear()
            size = 0
    yield b"".join(gathered)


def _too_many_bytes(limits: UploadLimits) -> UploadTooLargeError:
    return UploadTooLargeError(
        f"Expected at most {limits.max_bytes} bytes; the request has more. Send one series, compressed or zipped.",
        limit=limits.max_bytes,
    )
