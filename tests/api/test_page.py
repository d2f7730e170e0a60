"""The built page is served from memory with caching that fits; every answer carries the headers that browsers obey."""

import gzip
import re
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI

from app.api.middleware import SECURITY_HEADERS, RequestScope
from app.api.page import FOREVER, page_router
from app.api.problems import install_problem_handlers
from app.main import create_app
from app.metrics import Metrics
from app.settings import Settings

SCRIPT = b"export const words = 'many words';\n" * 200
FILES = {
    "index.html": b"<!doctype html><title>page</title>",
    "docs.html": b"<!doctype html><title>interface</title>",
    "icon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/index-4f2a.js": SCRIPT,
    "assets/fonts/inter-91c0.woff2": b"\0font",
    ".vite/manifest.json": b"{}",
}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def page(web: Path) -> FastAPI:
    return application(web)


def application(web: Path) -> FastAPI:
    app = FastAPI(docs_url=None)
    app.add_middleware(RequestScope, metrics=Metrics())
    install_problem_handlers(app)
    app.include_router(page_router(web))
    return app


def ask(app: FastAPI, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def run() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers={"accept-encoding": "identity"} | given)

    return anyio.run(run)


def test_the_index_is_asked_for_anew_each_time(page: FastAPI) -> None:
    response = ask(page, "/")
    assert response.content == FILES["index.html"]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


def test_an_asset_never_changes(page: FastAPI) -> None:
    response = ask(page, "/assets/index-4f2a.js")
    assert response.content == SCRIPT
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == FOREVER


@pytest.mark.parametrize(
    ("path", "media_type"), [("/icon.svg", "image/svg+xml"), ("/assets/fonts/inter-91c0.woff2", "font/woff2")]
)
def test_every_other_file_has_its_type(page: FastAPI, path: str, media_type: str) -> None:
    response = ask(page, path)
    assert (response.content, response.headers["content-type"]) == (FILES[path[1:]], media_type)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/absent.js", "/assets/", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets//etc/passwd",
        "/.vite/manifest.json", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/absent.svg",
    ],
)  # fmt: skip
def test_nothing_else_is_served(page: FastAPI, path: str) -> None:
    response = ask(page, path)
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("encoding", ["identity", "gzip, br"])
@pytest.mark.parametrize("path", ["/", "/assets/index-4f2a.js"])
def test_head_says_what_get_would_give(page: FastAPI, path: str, encoding: str) -> None:
    given = ask(page, path, accept_encoding=encoding)
    said = ask(page, path, "HEAD", accept_encoding=encoding)
    own = {"x-request-id"}
    assert said.content == b""
    assert {n: v for n, v in said.headers.items() if n not in own} == {
        n: v for n, v in given.headers.items() if n not in own
    }


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_a_browser_has_is_not_sent_again(page: FastAPI, encoding: str) -> None:
    etag = ask(page, "/", accept_encoding=encoding).headers["etag"]
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = ask(page, "/", accept_encoding=encoding, if_none_match=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert ask(page, "/", accept_encoding=encoding, if_none_match='"other"').status_code == 200


def test_a_changed_file_has_another_etag(page: FastAPI, web: Path) -> None:
    before = ask(page, "/").headers["etag"]
    (web / "index.html").write_bytes(b"another")
    assert ask(page, "/").headers["etag"] == before, "what is served does not change under a running service"
    assert ask(application(web), "/").headers["etag"] != before


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True), ("br, gzip", True), ("GZIP;q=0.5", True), ("gzip;q=1.0", True), ("gzip; q=0", False),
        ("gzip;q=0.000", False), ("br", False), ("", False),
    ],
)  # fmt: skip
def test_text_is_packed_for_those_who_take_it(page: FastAPI, accepted: str, packed: bool) -> None:
    response = ask(page, "/assets/index-4f2a.js", accept_encoding=accepted)
    assert response.content == SCRIPT  # httpx unpacks
    assert response.headers.get("content-encoding") == ("gzip" if packed else None)
    assert response.headers["vary"] == "Accept-Encoding"
    if packed:
        assert int(response.headers["content-length"]) == len(gzip.compress(SCRIPT, mtime=0)) < len(SCRIPT)


@pytest.mark.parametrize("path", ["/", "/assets/fonts/inter-91c0.woff2"])
def test_what_would_not_shrink_is_not_packed(page: FastAPI, path: str) -> None:
    response = ask(page, path, accept_encoding="gzip")
    assert "content-encoding" not in response.headers
    assert response.content == FILES["index.html" if path == "/" else path[1:]]


def test_the_documentation_is_a_page_of_its_own(page: FastAPI) -> None:
    response = ask(page, "/docs")
    assert (response.status_code, response.content) == (200, FILES["docs.html"])
    assert ask(page, "/docs.html").status_code == 404


def test_what_was_not_built_is_said(tmp_path: Path) -> None:
    app = application(tmp_path / "absent")
    assert (ask(app, "/").status_code, ask(app, "/").headers["location"]) == (307, "/docs")
    response = ask(app, "/docs")
    assert response.status_code == 200
    assert "make page" in response.text
    assert "//" not in response.text, "nothing is loaded from elsewhere"


@pytest.mark.parametrize("path", ["/", "/livez", "/absent", "/openapi.json", "/problems", "/docs"])
def test_every_answer_has_the_headers_that_browsers_obey(path: str) -> None:
    headers = ask(create_app(Settings()), path).headers
    assert set(map(str.lower, SECURITY_HEADERS)) <= set(headers)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert not re.search(r"unsafe|https?:", headers["content-security-policy"])
