"""A refused method comes with those that the path takes, and a path is one path: no other one is guessed from it."""

import anyio
import httpx
import pytest

from app.main import create_app
from app.settings import Settings


def ask(method: str, path: str, host: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.ASGITransport(create_app(Settings()))

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path)

    return anyio.run(run)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/predictions/x/feedback", "GET, PUT"),
        ("POST", "/predictions/x", "DELETE, GET"),
        ("POST", "/predictions/x/heatmap.png", "GET, HEAD"),
        ("GET", "/predict", "POST"),
        ("OPTIONS", "/jobs/x", "DELETE, GET"),
        ("PATCH", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_refused_method_comes_with_every_method_of_the_path(method: str, path: str, allowed: str) -> None:
    response = ask(method, path)
    assert (response.status_code, response.json()["type"]) == (405, "/problems/method-not-allowed")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/predictions/", "/predict/", "/docs/", "/models/gos/", "/openapi.json/"])
def test_a_path_with_another_slash_leads_nowhere_and_nowhere_else(path: str) -> None:
    # A redirect would be absolute, to whatever host the client named, and be given before anybody is asked who they are.
    response = ask("GET", path, host="localhost")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")
    assert "Location" not in response.headers
