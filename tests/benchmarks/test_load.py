"""Load, and what the generator tells of it."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.api.form_receiver import FormReceiver, UploadLimits
from benchmarks.load import Body, Load, _answers, attack, case_body, percentile_ms

HEADING = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n"


def test_the_body_is_a_form_that_the_service_reads(tmp_path: Path) -> None:
    image = tmp_path / "head.zip"
    image.write_bytes(bytes(range(256)) * 9)
    body = case_body(tmp_path / "body", [image, image], {"age": 71}, model="gos")
    received = tmp_path / "received"
    received.mkdir()
    boundary = body.content_type.partition("boundary=")[2].encode()
    receiver = FormReceiver(boundary, received, UploadLimits(max_bytes=10_000, max_files=2, timeout_s=1))
    receiver.write(body.path.read_bytes())
    form = receiver.finished()
    assert form.fields == {"model": "gos", "heatmap": "none", "ehr": '{"age": 71}'}
    assert [path.read_bytes() for path in form.images] == [image.read_bytes()] * 2


def test_what_the_generator_tells_is_counted() -> None:
    one = f"{HEADING}0.5,0,0,0,0,0,200,0.0\n0.1,0,0,0,0,0,503,0.6\n"
    other = f"{HEADING}1.5,0,0,0,0,0,200,1.0\n"
    answers = _answers([one, other], sent=5, lag_s=0.5)
    assert answers.good == (0.5, 1.5)
    assert answers.by_status == {200: 2, 503: 1}
    assert answers.unanswered == 2
    assert answers.failed == 3
    assert answers.per_s == pytest.approx(2 / 3.0)


def test_a_percentile_is_one_of_the_values() -> None:
    seconds = [number / 1000 for number in range(100, 0, -1)]
    assert percentile_ms(seconds, 0.99) == pytest.approx(99)
    assert percentile_ms(seconds[:1], 0.99) == pytest.approx(100)


@pytest.fixture(name="url")
def _url() -> Iterator[str]:
    """A server that refuses every other request."""
    turns = iter(range(1000))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if next(turns) % 2 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.skipif(shutil.which("hey") is None, reason="the load generator is not installed")
def test_every_request_is_sent_and_told(url: str, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"case")
    answers = attack(url, Body(file, "text/plain"), Load(clients=2, requests=10))
    assert answers.by_status == {200: 5, 503: 5}
    assert answers.unanswered == 0
    assert answers.wall_s > 0
