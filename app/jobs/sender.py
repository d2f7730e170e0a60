"""One webhook, sent as Standard Webhooks says (https://www.standardwebhooks.com): signed, bounded, never redirected."""

import base64
import hashlib
import hmac
import json
import os
import ssl
from datetime import UTC, datetime
from typing import Final

import anyio
import httpx

from app.errors import NotReadyError
from app.records.webhooks import Webhook

TIMEOUT_S: Final = 10.0
USER_AGENT: Final = "NeuroFuse-Webhooks"


def sign(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature`: HMAC-SHA256 over id, time and body."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def body_of(webhook: Webhook) -> bytes:
    """What is told: which job or batch ended, how, and where to ask; nothing of the patient, and no result."""
    kind, state = webhook.event.split(".")
    where = {"prediction": "/predictions/", "batch": "/batches/"}[kind]
    links = {"self": f"{where}{webhook.id}"} | (
        {"job": f"/jobs/{webhook.id}"} if kind == "prediction" else {}
    )
    moment = webhook.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    data = {"id": webhook.id, "state": state, "links": links}
    return json.dumps({"type": webhook.event, "timestamp": moment, "data": data}).encode()


class WebhookSender:
    """Sends webhooks; used from one event loop.

    Args:
        key: What webhooks are signed with; empty where none are sent.

    Raises:
        NotReadyError: The certificates that are to be believed cannot be read.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        # Neither the environment's proxies nor its .netrc: what is sent where is the operator's list alone.
        believed = _believed() if key else True
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, verify=believed
        )

    async def send(self, webhook: Webhook) -> int | None:
        """Make one attempt.

        Returns:
            The HTTP status, or None where there was no answer in time.
        """
        body, now_s = body_of(webhook), int(datetime.now(UTC).timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": webhook.id,
            "webhook-timestamp": str(now_s),
            "webhook-signature": sign(self._key, webhook.id, now_s, body),
        }
        try:
            # One bound on all of it: a receiver that sends a byte now and then would hold httpx's own for ever.
            with anyio.fail_after(TIMEOUT_S):
                # What is answered is not read, so its size does not matter.
                async with self._client.stream(
                    "POST", webhook.url, content=body, headers=headers
                ) as response:
                    return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


def _believed() -> ssl.SSLContext:
    """Whose word for a receiver is taken: the public authorities', and theirs that the environment names, as where a hospital signs itself."""
    context = httpx.create_ssl_context(trust_env=False)
    try:
        if own := os.environ.get("SSL_CERT_FILE"):
            context.load_verify_locations(own)
    except OSError:
        raise NotReadyError(
            "Expected SSL_CERT_FILE to name a file of certificates (PEM) that can be read, or not to be set; it is something else."
        ) from None
    return context
