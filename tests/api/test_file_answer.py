"""A file is given whole where the part that is asked for cannot be understood."""

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
    app, file = FastAPI(), tmp_path / "heatmap.png"
    file.write_bytes(CONTENT)

    @app.get("/", response_model=None)
    def told() -> FileAnswer:
        return FileAnswer(file)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/", headers={"Range": asked})

    response = anyio.run(ask)
    assert (response.status_code, response.content) == (status, given)
