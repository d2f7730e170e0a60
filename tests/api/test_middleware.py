"""An unexpected error becomes a problem document that tells nothing, and a log line that quotes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from app.api.middleware import RequestScope
from app.api.problems import install_problem_handlers
from app.errors import GoldenMismatchError
from app.metrics import Metrics

SECRET = "Doe^Jane"  # noqa: S105 - a name, not a password


def application(metrics: Metrics) -> FastAPI:
    app = FastAPI()
    app.add_middleware(RequestScope, metrics=metrics)
    install_problem_handlers(app)

    @app.get("/fault")
    async def fault() -> None:
        raise ValueError(f"cannot read {SECRET}")

    @app.get("/package")
    async def package() -> None:
        raise GoldenMismatchError(f"about {SECRET}")

    @app.get("/accepted", status_code=202)
    async def accepted() -> None:
        return

    @app.get("/answered")
    async def answered() -> None:
        return

    @app.get("/late")
    async def late() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ValueError(SECRET)

        return StreamingResponse(body())

    return app


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as speaking:
        yield speaking


def ask(app: FastAPI, path: str) -> httpx.Response:
    async def run() -> httpx.Response:
        async with client(app) as speaking:
            return await speaking.get(path)

    return anyio.run(run)


def test_an_unexpected_error_is_a_problem_without_its_cause() -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        response = ask(application(metrics), "/fault")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/internal"
    assert SECRET not in response.text
    assert SECRET not in str(logs)
    fault = next(line for line in logs if line["event"] == "request-fault")
    assert fault["error_type"] == "ValueError"
    assert fault["where"][-1].endswith(" fault")
    labels = {"route": "/fault", "outcome": "failed", "code": "internal"}
    assert metrics.registry.get_sample_value("neurofuse_requests_total", labels) == 1


def test_a_package_error_in_a_request_tells_the_client_nothing() -> None:
    response = ask(application(Metrics()), "/package")
    assert (response.status_code, response.json()["type"]) == (500, "/problems/internal")
    assert SECRET not in response.text


def test_an_error_after_the_response_began_is_logged_without_its_words() -> None:
    # What began cannot be taken back: a server cuts the connection, httpx's transport asserts that it was not.
    with capture_logs() as logs, pytest.raises(AssertionError):
        ask(application(Metrics()), "/late")
    assert "request-fault" in [line["event"] for line in logs]
    assert SECRET not in str(logs)


def test_the_time_of_what_is_accepted_for_later_is_not_among_the_answers() -> None:
    """In a night of jobs their few milliseconds would hide how long those wait who are answered at once."""
    metrics = Metrics()
    app = application(metrics)
    for path in ("/accepted", "/answered"):
        ask(app, path)
    told = metrics.render().decode()
    assert 'neurofuse_request_seconds_count{route="/answered"} 1.0' in told
    assert 'neurofuse_request_seconds_count{route="/accepted"}' not in told
