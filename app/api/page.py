"""The built front end, the clinician's page and `/docs`: its files, read once, when the application is made.

So index and assets always fit together, whatever happens to the folder later, and no path of a client reaches a disk.
"""

import gzip
import hashlib
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from app.api.access import PAGE_FILE

WEB: Final = Path(__file__).parents[1] / "web"
"""Where the build of `web/` puts its product."""
INDEX: Final = "index.html"
DOCS: Final = "docs.html"
PATHS: Final = {INDEX: "/", DOCS: "/docs"}
"""Where a file is found, if not under its own name."""
NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<title>NeuroFuse</title>
<h1>NeuroFuse</h1>
<p>The service runs. It was installed without its pages: build them with <code>make page</code>, then start it again.</p>
<p>Its HTTP interface is described by <a href="/openapi.json">its OpenAPI document</a>.</p>
</html>
"""
"""In place of `/docs`: no page is ever fetched from elsewhere, since a hospital's machines may reach nothing else."""
ASSETS: Final = "assets/"
REVALIDATE: Final = "no-cache"
FOREVER: Final = "public, max-age=31536000, immutable"
"""For assets: a name holds the digest of its content."""
PACKED_TYPES: Final = (
    "text/",
    "application/json",
    "application/manifest+json",
    "application/wasm",
    "image/svg",
)
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
"""Not left to the machine's own table: browsers are told not to guess."""


class _File:
    """One file of the page.

    Args:
        name: Relative to the folder, with slashes.
        content: Its bytes.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self._content = content
        self._media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        self._cache_control = FOREVER if name.startswith(ASSETS) else REVALIDATE
        self._digest = hashlib.sha256(content).hexdigest()[:32]

    @cached_property
    def _packed(self) -> bytes | None:
        """With gzip, where that makes it smaller; made when it is first wanted."""
        if not self._media_type.startswith(PACKED_TYPES):
            return None
        packed = gzip.compress(self._content, mtime=0)
        return packed if len(packed) < len(self._content) else None

    def response(self, request: Request) -> Response:
        """Answer GET or HEAD, conditional ones included (RFC 9110, section 13.1.2)."""
        packed = self._packed if _takes_gzip(request.headers) else None
        body = self._content if packed is None else packed
        etag = f'"{self._digest}"' if packed is None else f'"{self._digest}-gzip"'
        headers = {"ETag": etag, "Cache-Control": self._cache_control, "Vary": "Accept-Encoding"}
        if _has(request.headers, etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Length"] = str(len(body))
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        return Response(
            b"" if request.method == "HEAD" else body, headers=headers, media_type=self._media_type
        )


def page_router(web: Path = WEB) -> APIRouter:
    """The routes of both pages.

    Args:
        web: Folder of the built front end; where it was not built, `/` leads to `/docs`, and that says so.
    """
    router, files = APIRouter(), _files(web)

    def serve(path: str, endpoint: Callable[..., Response]) -> None:
        router.add_api_route(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False, name=PAGE_FILE)

    if INDEX not in files:
        serve(PATHS[INDEX], lambda: RedirectResponse(PATHS[DOCS]))
        serve(PATHS[DOCS], lambda: HTMLResponse(NOT_BUILT))
        return router
    serve(f"/{ASSETS}{{name:path}}", _asset_of(files))
    for name in files:
        if not name.startswith(ASSETS):
            serve(PATHS.get(name, f"/{name}"), files[name].response)
    return router


def _files(web: Path) -> dict[str, _File]:
    names = {path.relative_to(web).as_posix(): path for path in web.rglob("*") if path.is_file()}
    return {
        name: _File(name, path.read_bytes())
        for name, path in sorted(names.items())
        if not any(step.startswith(".") for step in name.split("/"))
    }


def _asset_of(files: dict[str, _File]) -> Callable[..., Response]:
    def asset(request: Request, name: str) -> Response:
        file = files.get(ASSETS + name)
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return file.response(request)

    return asset


def _takes_gzip(headers: Headers) -> bool:
    """Whether Accept-Encoding names gzip without refusing it (RFC 9110, section 12.5.3)."""
    for item in headers.get("Accept-Encoding", "").split(","):
        coding, _, weight = item.replace(" ", "").partition(";q=")
        if coding.lower() == "gzip":
            return weight.rstrip("0.") != "" or weight == ""
    return False


def _has(headers: Headers, etag: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in headers.get("If-None-Match", "").split(",")]
    return etag in known or known == ["*"]
