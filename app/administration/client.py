"""Speaks to the admin routes of a running service."""

import http.client
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from app.api.schemas import Problem
from app.errors import MalformedRequestError

TIMEOUT_S: Final = 600.0
"""A large package on a GPU takes minutes to open and warm; the answer comes after that."""


class ServiceProblemError(Exception):
    """The service said no, or said nothing.

    Args:
        code: Of its problem document; `unreachable` where there was none.
        detail: What it said.
        status: HTTP status; 0 where there was no answer.
        fields: What else it said, to which `detail` may refer.
    """

    def __init__(
        self, code: str, detail: str, status: int = 0, fields: Mapping[str, object] | None = None
    ) -> None:
        told = (f"  {name}: {value}" for name, value in (fields or {}).items())
        super().__init__("\n".join([f"{code}: {detail}", *told]))
        self.code = code
        self.detail = detail
        self.status = status


class ServiceClient:
    """One service. Redirections are not followed: the token is for this address only.

    Args:
        server: Its address, `http` or `https`, with a path where it lies below one.
        token: The admin token; empty for none.

    Raises:
        MalformedRequestError: The address is none.
    """

    def __init__(self, server: str, token: str) -> None:
        self._server = server
        self._token = token
        try:
            self._address = urlsplit(server)
            self._connection()  # judges host and port, and connects to nobody
        except (ValueError, http.client.InvalidURL):
            is_address = False
        else:
            is_address = self._address.scheme in ("http", "https") and bool(self._address.hostname)
        if not is_address:
            raise MalformedRequestError("Expected --server to be an address such as http://127.0.0.1:8000.")

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a JSON document
        """Send one request.

        Args:
            method: Of HTTP.
            path: Below the address.
            body: Sent as JSON; None sends none.

        Returns:
            The JSON document; None where there is none.

        Raises:
            ServiceProblemError: The service refused, or cannot be reached.
        """
        connection = self._connection()
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, self._address.path.rstrip("/") + path, sent, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServiceProblemError(
                "unreachable", f"{self._server}: {type(error).__name__}, {error}"
            ) from None
        finally:
            connection.close()
        return _document(response.status, content)

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        # With a port in any case: without one, http.client takes the end of an IPv6 address for it.
        return kind(self._address.hostname or "", self._address.port or kind.default_port, timeout=TIMEOUT_S)


def _document(status: int, content: bytes) -> Any:  # noqa: ANN401 - a JSON document
    try:
        document = json.loads(content) if content else None
    except ValueError:
        document = None
        status = status if status >= HTTPStatus.BAD_REQUEST else HTTPStatus.BAD_GATEWAY
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return document
    problem = document if isinstance(document, dict) else {}
    code = str(problem.get("type", "")).rpartition("/")[2] or f"status-{int(status)}"
    fields = {name: value for name, value in problem.items() if name not in Problem.model_fields}
    detail = str(problem.get("detail", "Expected a NeuroFuse service."))
    raise ServiceProblemError(code, detail, status, fields)
