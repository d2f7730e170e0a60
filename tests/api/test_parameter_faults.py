"""Whoever asks wrongly is told what is wrong with each parameter, in words of ours alone."""

import json
from typing import Annotated, Any

import anyio
import httpx
import pytest
from fastapi import FastAPI, Query

from app.api.batches import BatchWish
from app.api.kept_cases import CurveQuestion
from app.api.middleware import RequestScope
from app.api.problems import install_problem_handlers
from app.api.worklist import WorklistQuery
from app.metrics import Metrics

JSON = "application/json"
SECRET = "Doe^Jane"  # noqa: S105 - a name, not a password


def application() -> FastAPI:
    app = FastAPI()
    app.add_middleware(RequestScope, metrics=Metrics())
    install_problem_handlers(app)

    @app.post("/batch")
    async def batch(wish: BatchWish) -> str:
        return wish.priority

    @app.post("/curve")
    async def curve(question: CurveQuestion) -> str:
        return question.feature

    @app.get("/list")
    async def listed(query: Annotated[WorklistQuery, Query()]) -> str:
        return query.q

    return app


def refused(path: str, content: bytes = b"", content_type: str | None = JSON, **query: str) -> dict[str, Any]:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(application())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {} if content_type is None else {"Content-Type": content_type}
            method = "POST" if content or path != "/list" else "GET"
            return await client.request(method, path, content=content, headers=headers, params=query)

    response = anyio.run(run)
    document: dict[str, Any] = response.json()
    assert (response.status_code, document["type"]) == (400, "/problems/malformed-request")
    assert SECRET not in response.text
    return document


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_json_that_is_not_said_to_be_so_is_refused_for_that(content_type: str | None) -> None:
    assert "Content-Type: application/json" in refused("/batch", b'{"task": "gos"}', content_type)["detail"]


@pytest.mark.parametrize("content", [b'{"task":', b"\xff{}", b"gos", b"[" * 100_000])
def test_what_cannot_be_parsed_is_refused_for_that(content: bytes) -> None:
    assert "Expected a JSON document" in refused("/batch", content)["detail"]


@pytest.mark.parametrize(
    ("path", "sent", "reasons"),
    [
        ("/batch", {"task": SECRET}, {"body.task": "not-allowed-value"}),
        ("/batch", {"task": "gos", SECRET: 1}, {"body": "unknown"}),
        ("/batch", {"model": "x" * 161}, {"body.model": "too-long"}),
        ("/batch", {}, {"body": "not-allowed-value"}),
        ("/batch", [], {"body": "wrong-type"}),
        ("/curve", {"feature": 3, "points": SECRET},
         {"body.ehr": "missing", "body.feature": "wrong-type", "body.points": "wrong-type"}),
        ("/curve", {"ehr": {}, "feature": SECRET, "points": 500}, {"body.points": "out-of-range"}),
    ],
)  # fmt: skip
def test_of_each_parameter_it_is_said_what_is_wrong(path: str, sent: object, reasons: dict[str, str]) -> None:
    document = refused(path, json.dumps(sent).encode())
    assert document["reasons"] == reasons
    assert document["parameters"] == sorted(reasons)


def test_a_body_that_is_absent_is_missing() -> None:
    assert refused("/batch")["reasons"] == {"body": "missing"}


def test_parameters_of_a_query_are_told_likewise() -> None:
    document = refused("/list", limit="0", model=SECRET, since="soon", unknown=SECRET)
    assert document["reasons"] == {
        "query": "unknown", "query.limit": "out-of-range", "query.model": "wrong-form", "query.since": "wrong-type",
    }  # fmt: skip
