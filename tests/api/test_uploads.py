"""app.api.uploads: a body is written to disk block by block, and what is wrong with it is told whatever comes after it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from app.api.form_receiver import Form, UploadLimits
from app.api.uploads import BLOCK_BYTES, receive_form
from app.errors import MalformedRequestError, NeuroFuseError, UploadTooLargeError

LIMITS: Final = UploadLimits(max_bytes=2**24, max_files=3, timeout_s=10)
BOUNDARY: Final = "x" * 20


def part(name: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


END: Final = f"--{BOUNDARY}--\r\n".encode()


def received(
    folder: Path, chunks: Sequence[bytes], limits: UploadLimits = LIMITS, *, whole: bool = True
) -> Form:
    """The form of a body that comes in chunks; where it is not whole, the client leaves after them."""
    coming = list(chunks)

    async def receive() -> Message:
        if coming:
            chunk = coming.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(coming) or not whole}
        return {"type": "http.disconnect"}

    async def run() -> Form:
        headers = [(b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode())]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        return await receive_form(Request(scope, receive), folder, limits)

    return anyio.run(run)


def open_files() -> set[str]:
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(each.readlink()))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("chunk", [1000, 2**16, BLOCK_BYTES, 2**23])
def test_what_was_sent_is_on_disk_whatever_pieces_it_came_in(tmp_path: Path, chunk: int) -> None:
    images = [os.urandom(3 * 2**20), b"", os.urandom(100)]
    body = part("task", b"gos") + b"".join(part("image", each) for each in images) + END
    form = received(tmp_path, [body[start : start + chunk] for start in range(0, len(body), chunk)])
    assert form.fields == {"task": "gos"}
    assert [path.read_bytes() for path in form.images] == images


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_what_is_wrong_with_a_block_is_told_whatever_comes_after_it(tmp_path: Path, behind: int) -> None:
    body = part("unknown", b"") + part("image", os.urandom(behind * BLOCK_BYTES)) + END
    with pytest.raises(MalformedRequestError, match="only the parts"):
        received(tmp_path, [body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES)])


def test_the_files_of_a_client_that_leaves_are_closed(tmp_path: Path) -> None:
    body = part("image", os.urandom(3 * BLOCK_BYTES))
    blocks = [body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES)]
    with pytest.raises(ClientDisconnect):
        received(tmp_path, blocks, whole=False)
    assert not [each for each in open_files() if each.startswith(str(tmp_path))]


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (UploadLimits(max_bytes=2 * BLOCK_BYTES, max_files=3, timeout_s=10), UploadTooLargeError),
        (UploadLimits(max_bytes=2**24, max_files=1, timeout_s=10), UploadTooLargeError),
    ],
)
def test_a_bound_is_told_and_nothing_is_left_open(
    tmp_path: Path, limits: UploadLimits, error: type[NeuroFuseError]
) -> None:
    body = part("image", os.urandom(2 * BLOCK_BYTES)) + part("image", b"") + END
    with pytest.raises(error):
        received(
            tmp_path,
            [body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES)],
            limits,
        )
    assert not [each for each in open_files() if each.startswith(str(tmp_path))]


def test_a_body_whose_time_is_over_is_told_so_once_its_thread_is_done(tmp_path: Path) -> None:
    """The thread waits for a reader of a pipe in the file's place: no cancellation reaches it.

    The reader is a process of its own: what it holds open is not among what this one does.
    """
    os.mkfifo(tmp_path / "000000")
    limits = UploadLimits(max_bytes=2**24, max_files=3, timeout_s=0.2)

    async def run() -> None:
        stopped = anyio.Event()

        async def receive() -> Message:
            if not stopped.is_set():
                stopped.set()
                return {
                    "type": "http.request",
                    "body": part("image", b"")[:-2].ljust(BLOCK_BYTES),
                    "more_body": True,
                }
            await anyio.sleep_forever()
            raise AssertionError

        headers = [(b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode())]
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
        async with anyio.create_task_group() as group:

            async def late_reader() -> None:
                await anyio.sleep(1)
                await anyio.run_process(["cat", str(tmp_path / "000000")])

            group.start_soon(late_reader)
            with pytest.raises(MalformedRequestError, match="within"):
                await receive_form(request, tmp_path, limits)
            assert not [each for each in open_files() if each.startswith(str(tmp_path))]

    anyio.run(run)
