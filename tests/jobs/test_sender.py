"""A webhook is signed as the standard's own example says, and its receiver can neither hold it nor lead it elsewhere."""

import base64
import json
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from app.errors import NotReadyError
from app.jobs import sender
from app.jobs.sender import WebhookSender, body_of, sign
from app.records.webhooks import Webhook
from tests.service.jobs import receiving
from tests.service.test_access import make_certificate

MOMENT = datetime(2026, 11, 23, 10, 0, 0, 5, tzinfo=UTC)


def webhook(url: str = "https://a.example", event: str = "prediction.done") -> Webhook:
    return Webhook("0193c2f4", url, event, "waiting", 1, MOMENT, MOMENT)


def attempt(url: str) -> int | None:
    async def once() -> int | None:
        one = WebhookSender(bytes(24))
        try:
            return await one.send(webhook(url))
        finally:
            await one.close()

    return anyio.run(once)


def test_the_signature_is_that_of_the_example_of_the_standard() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_message_says_what_ended_and_where_to_ask() -> None:
    assert json.loads(body_of(webhook(event="prediction.failed"))) == {
        "type": "prediction.failed",
        "timestamp": "2026-11-23T10:00:00Z",
        "data": {
            "id": "0193c2f4",
            "state": "failed",
            "links": {"self": "/predictions/0193c2f4", "job": "/jobs/0193c2f4"},
        },
    }
    assert json.loads(body_of(webhook(event="batch.finished")))["data"]["links"] == {
        "self": "/batches/0193c2f4"
    }


def test_the_status_is_what_the_receiver_says_and_a_redirect_is_not_followed() -> None:
    with receiving() as receiver:
        receiver.statuses[:] = [204, 307, 500]
        assert [attempt(f"{receiver.url}/told") for _ in range(3)] == [204, 307, 500]
        assert [path for path, _, _ in receiver.received] == ["/told"] * 3


def test_a_receiver_whose_certificate_the_hospital_signed_is_told_once_that_one_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    with receiving(theirs) as receiver:
        assert attempt(receiver.url) is None
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert attempt(receiver.url) == 200


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_stop_the_start_where_webhooks_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "ours.pem"
    if content:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    WebhookSender(b"")
    with pytest.raises(NotReadyError, match="SSL_CERT_FILE"):
        WebhookSender(bytes(24))


def test_no_proxy_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert attempt(receiver.url) == 200
        assert proxy.received == []


def test_where_nobody_listens_there_is_no_status() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert attempt(f"http://127.0.0.1:{taken.getsockname()[1]}") is None


def test_a_receiver_that_never_answers_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert attempt(f"http://127.0.0.1:{silent.getsockname()[1]}") is None
