"""Every route stands in the table of access, and the table speaks of no route that is not there."""

import anyio
import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.routing import iter_route_contexts

from app.api.access import ACCESS, ANYBODY, PAGE_FILE, PERHAPS, access_to
from app.api.guard import Guard, require_admission
from app.api.middleware import RequestScope
from app.api.problems import install_problem_handlers
from app.main import create_app
from app.metrics import Metrics
from app.settings import Settings


def routes(app: FastAPI) -> set[str]:
    found = iter_route_contexts(app.routes)
    return {
        f"{method} {each.path}" for each in found for method in each.methods or () if each.name != PAGE_FILE
    }


def test_every_route_states_its_roles() -> None:
    app = create_app(Settings())
    pages = {f"{method} {path}" for method in ("GET", "HEAD") for path in ("/", "/docs")}
    assert routes(app) == ACCESS.keys() - pages


def test_only_what_holds_nothing_of_a_patient_is_open() -> None:
    opened = {
        route.split()[1].split("/")[1] for route, access in ACCESS.items() if access in (ANYBODY, PERHAPS)
    }
    assert opened == {"", "openapi.json", "docs", "problems", "livez", "readyz", "v2", "auth"}
    assert {route for route in ACCESS if "/v2/" in route and ACCESS[route] == ANYBODY} == {
        f"{method} /v2/health/{probe}" for method in ("GET", "HEAD") for probe in ("live", "ready")
    }


def test_no_case_is_open_to_operators_or_administrators() -> None:
    cases = ("predict", "predictions", "jobs", "batches", "uploads", "feedback.csv")
    assert all(
        not access & {"ops", "admin"}
        for route, access in ACCESS.items()
        if isinstance(access, frozenset) and route.split()[1].split("/")[1] in cases
    )


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_route_that_nobody_listed_is_closed_even_where_nobody_is_asked(method: str) -> None:
    assert access_to(method, "/forgotten") is None
    response = ask(with_a_forgotten_route(Settings()), method)
    assert (response.status_code, response.headers["Content-Type"]) == (
        httpx.codes.FORBIDDEN,
        "application/problem+json",
    )


@pytest.mark.parametrize("path", ["/mounted/", "/mounted/below"])
def test_a_mounted_application_is_closed(path: str) -> None:
    app = FastAPI()
    app.mount("/mounted", PlainTextResponse("answered"))
    app.add_middleware(Guard, application=app, settings=Settings())
    assert ask(app, "GET", path).status_code == httpx.codes.FORBIDDEN


def test_behind_the_door_a_route_is_closed_that_the_guard_took_for_another() -> None:
    # As if guard and router disagreed on what a path means: nothing was admitted to this route.
    app = FastAPI(dependencies=[Depends(require_admission)])
    app.add_api_route("/forgotten", lambda: "answered")
    assert ask(app, "GET").status_code == httpx.codes.FORBIDDEN


def with_a_forgotten_route(settings: Settings) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/forgotten", lambda: "answered", methods=["GET", "POST", "HEAD"])
    app.add_middleware(Guard, application=app, settings=settings)
    return app


def ask(app: FastAPI, method: str, path: str = "/forgotten") -> httpx.Response:
    install_problem_handlers(app)
    app.add_middleware(RequestScope, metrics=Metrics())

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            return await client.request(method, path)

    return anyio.run(run)
