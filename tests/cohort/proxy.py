"""A proxy before a service, on loopback: it passes requests on, or answers with a page of its own."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PAGE = b"<html>A page of the proxy</html>"


@dataclass(frozen=True)
class Page:
    """What a proxy answers by itself, in HTML.

    Attributes:
        status: HTTP status.
        headers: Its own headers.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[str, str, int], Page | None]
"""From method, path and length of the body to the proxy's own page; None where the request is passed on."""


@contextmanager
def proxy_before(client: httpx.Client, rule: Rule) -> Iterator[str]:
    """Run a proxy before the service that `client` speaks to; gives the proxy's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            page = rule(self.command, self.path, len(body))
            if page is not None:
                self._reply(page.status, PAGE, {"Content-Type": "text/html", **page.headers})
                return
            answer = client.request(self.command, self.path, content=body, headers=dict(self.headers.items()))
            headers = {name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers}  # fmt: skip
            self._reply(answer.status_code, answer.content, headers)

        def do_POST(self) -> None:
            self.do_GET()

        def _reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()
