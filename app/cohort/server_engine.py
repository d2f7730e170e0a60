"""The cases of a table on a running service: each row is sent as a job under a key of its own, so that sending it again is safe.

The key is made of what the answer depends on. A connection that breaks, a service that restarts and this command started anew all lead
to the same job; nothing is worked on twice. No name of a row is sent: it may be a patient's.
"""

import json
import threading
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from app.cohort.table import Row
from app.errors import NeuroFuseError, NotAuthenticatedError, NotReadyError
from app.imaging.folders import files_in
from app.model_package.manifest import Manifest, Task
from app.predictions.answer import Answer
from app.predictions.result_lines import Line, answered, failed, failed_with
from app.settings import Settings

AT_ONCE: Final = 16
"""Rows sent and waited for at the same time; the service queues what it cannot work on."""
TIMEOUT: Final = httpx.Timeout(60, connect=10)
PATIENCE_S: Final = 600.0
"""How long a service may be away, or have no place for another job."""
AWAY_S: Final = 1.0
OK, ACCEPTED, TOO_MANY, UNAVAILABLE = 200, 202, 429, 503
REFUSED: Final = frozenset({401, 403})


@dataclass(frozen=True)
class RemotePackage:
    """A package of a service.

    Attributes:
        server: Address of the service.
        manifest: What the package says of itself.
        sha256: Its digest.
        headers: What the service is shown; holds the API key.
    """

    server: str
    manifest: Manifest
    sha256: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def remote_package(server: str, task: Task | None, model: str | None, settings: Settings) -> RemotePackage:
    """Ask a service for a package.

    Args:
        server: Its address, such as `http://127.0.0.1:8000`.
        task: What is asked.
        model: Instead of it, `name`, `name@version` or `name@alias`.
        settings: Hold the API key, where the service asks for one.

    Raises:
        NotAuthenticatedError: The service asks for a key, or for another one.
        NotReadyError: The service cannot be reached, or has no such package that answers.
    """
    key = settings.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=server, timeout=TIMEOUT, headers=headers) as client:
        try:
            if client.get("/models").status_code in REFUSED:
                raise NotAuthenticatedError(
                    "Expected in NEUROFUSE_API_KEY or NEUROFUSE_API_KEY_FILE a good key of this service, with the role system."
                )
            name = model or _name_for(task, client.get("/models").raise_for_status().json()["models"])
            found = client.get(f"/models/{quote(name, safe='@')}").raise_for_status().json()
            return RemotePackage(server, Manifest.model_validate(found["manifest"]), found["sha256"], headers)
        except (httpx.HTTPError, ValidationError):
            raise NotReadyError(
                "Expected a service of this release at the address, with such a package that answers; there is none. "
                "See its /models and /readyz."
            ) from None


def _name_for(task: Task | None, models: Sequence[dict[str, Any]]) -> str:
    names = sorted({each["name"] for each in models if each["task"] == task})
    return task if task in names or len(names) != 1 else names[0]  # type: ignore[return-value]  # never without a task


def answered_by_server(todo: Sequence[tuple[Row, str]], package: RemotePackage) -> Generator[Line]:
    """Have a service answer rows; lines come in the order in which they are known.

    Args:
        todo: Rows with their digests.
        package: Which answers.
    """
    with (
        httpx.Client(base_url=package.server, timeout=TIMEOUT, headers=package.headers) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        sender = _Sender(client, f"{package.manifest.name}@{package.manifest.version}")
        lines = [pool.submit(sender.line, row, digest) for row, digest in todo]
        try:
            yield from (line.result() for line in as_completed(lines))
        finally:
            sender.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)


class _Sender:
    """Sends one row after the other; used from many threads."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self._client = client
        self._model = model
        self.stopped = threading.Event()

    def line(self, row: Row, digest: str) -> Line:
        """Send a row until there is an answer, or a reason why there is none."""
        try:
            with _one_file(files_in([row.image])) as image:
                response = self._until_known(row, digest, image)
        except NeuroFuseError as error:
            return failed(row.name, digest, error)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return failed_with(
                row.name, digest, NeuroFuseError.code, f"Expected a file that can be read, found: {reason}."
            )
        said = response.json()
        if response.status_code == OK:
            return answered(row.name, digest, Answer.model_validate(said))
        return failed_with(row.name, digest, said["type"].rsplit("/", 1)[-1], said["detail"])

    def _until_known(self, row: Row, digest: str, image: IO[bytes]) -> httpx.Response:
        key = f"cohort/{self._model}/{digest}"
        accepted = self._post(key, row, image)
        if accepted.status_code == ACCEPTED and accepted.json()["state"] in {"failed", "cancelled"}:
            # The end of an earlier run; what failed is tried again.
            accepted = self._post(f"{key}/{accepted.json()['id']}", row, image)
        response = accepted
        while response.status_code == ACCEPTED:
            self.stopped.wait(_pause_s(response))
            response = self._asked("GET", f"/predictions/{accepted.json()['id']}")
        return response

    def _post(self, key: str, row: Row, image: IO[bytes]) -> httpx.Response:
        image.seek(0)
        fields = {"model": self._model, "heatmap": "none", "ehr": json.dumps(dict(row.record))}
        headers = {"Prefer": "respond-async", "Idempotency-Key": key}
        return self._asked("POST", "/predict", data=fields, files={"image": image}, headers=headers)

    def _asked(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        """Ask until the service is there and has a place.

        Raises:
            NotReadyError: It was away too long, or this command is to stop.
        """
        give_up_s = time.monotonic() + PATIENCE_S
        while not self.stopped.is_set() and time.monotonic() < give_up_s:
            try:
                response = self._client.request(method, path, **request)
            except httpx.TransportError:
                self.stopped.wait(AWAY_S)
            else:
                if response.status_code not in (TOO_MANY, UNAVAILABLE):
                    return response
                self.stopped.wait(_pause_s(response))
            for file in request.get("files", {}).values():
                file.seek(0)
        raise NotReadyError("Expected the service to answer; it was away too long. The same command goes on.")


def _pause_s(response: httpx.Response) -> float:
    return float(response.headers.get("Retry-After", AWAY_S))


@contextmanager
def _one_file(images: Sequence[Path]) -> Iterator[IO[bytes]]:
    """The files of a row as one: itself, or a zip of them in a temporary file."""
    if len(images) == 1:
        with images[0].open("rb") as file:
            yield file
        return
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for number, image in enumerate(images):
                archive.write(image, f"{number:06d}")
        file.seek(0)
        yield file
