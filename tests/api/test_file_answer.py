"""A file is given whole where the part that is asked for cannot be understood, and not at all to who has it."""

from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI

from app.api.file_answer import FileAnswer

CONTENT = b"0123456789"


@pytest.mark.parametrize(
    ("asked", "status", "given"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=-3", 206, b"789"),
        ("bytes=5-2", 200, CONTENT),
        ("bytes=abc", 200, CONTENT),
        ("slices=0-3", 200, CONTENT),
        ("nothing", 200, CONTENT),
        ("bytes=99-", 416, b""),
    ],
)
def test_a_range_that_cannot_be_read_is_passed_over(
    tmp_path: Path, asked: str, status: int, given: bytes
) -> None:
    response = ask(tmp_path, {"Range": asked})
    assert (response.status_code, response.content) == (status, given)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_file_gets_it_no_second_time_not_even_a_part(tmp_path: Path, method: str) -> None:
    etag = ask(tmp_path, {}).headers["ETag"]
    for known in (etag, f'"another", W/{etag}', "*"):
        response = ask(tmp_path, {"If-None-Match": known, "Range": "bytes=2-4"}, method)
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", etag)
    changed = ask(tmp_path, {"If-None-Match": '"another"', "Range": "bytes=2-4"})
    assert (changed.status_code, changed.content) == (206, b"234")


def ask(folder: Path, headers: dict[str, str], method: str = "GET") -> httpx.Response:
    app, file = FastAPI(), folder / "heatmap.png"
    if not file.exists():
        file.write_bytes(CONTENT)

    @app.api_route("/", methods=["GET", "HEAD"], response_model=None)
    def told() -> FileAnswer:
        return FileAnswer(file)

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, "/", headers=headers)

    return anyio.run(asked)
