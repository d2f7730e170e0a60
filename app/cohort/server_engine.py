"""The cases of a table on a running service: each row is sent as a job under a key of its own, so that sending it again is safe.

The key is made of what the answer depends on. A connection that breaks, a service that restarts and this command started anew all lead
to the same job; nothing is worked on twice. No name of a row is sent: it may be a patient's.
"""

import json
import shutil
import threading
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from app.api.job_schemas import JobProblem, JobStatus
from app.cohort.table import Row, unreadable
from app.errors import (
    IdempotencyKeyReusedError,
    JobCancelledError,
    MalformedRequestError,
    NeuroFuseError,
    NotAuthenticatedError,
    NotReadyError,
)
from app.identifiers import uuid7
from app.imaging.files.folders import files_in
from app.model_package.manifest import Manifest, Task
from app.predictions.answer import Answer
from app.predictions.result_lines import Line, answered, failed, failed_with
from app.records.jobs import OPEN
from app.settings import Settings

AT_ONCE: Final = 16
"""Rows sent and waited for at the same time; the service queues what it cannot work on."""
TIMEOUT: Final = httpx.Timeout(60, connect=10)
PATIENCE_S: Final = 600.0
"""How long a service may be away, or have no place for another job."""
AWAY_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
"""Until a job that takes long is asked for again."""
NOT_NOW: Final = frozenset({429, 502, 503, 504})
"""Too many requests, and a service that has no place or is away: 502 and 504 are the words of a proxy before it."""
REFUSED: Final = frozenset({401, 403})
Told = TypeVar("Told", bound=BaseModel)


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
        MalformedRequestError: The address is none.
        NotAuthenticatedError: The service asks for a key, or for another one.
        NotReadyError: The service cannot be reached, or has no such package that answers.
    """
    key = settings.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=server, timeout=TIMEOUT, headers=headers) as client:
            if client.get("/models").status_code in REFUSED:
                raise NotAuthenticatedError(
                    "Expected in NEUROFUSE_API_KEY or NEUROFUSE_API_KEY_FILE a good key of this service, with the role system."
                )
            name = model or _name_for(task, client.get("/models").raise_for_status().json()["models"])
            found = client.get(f"/models/{quote(name, safe='@')}").raise_for_status().json()
            return RemotePackage(server, Manifest.model_validate(found["manifest"]), found["sha256"], headers)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise MalformedRequestError(
            "Expected the address of a service, such as http://127.0.0.1:8000 or https://neurofuse.example; this is none."
        ) from None
    except httpx.TransportError:
        raise NotReadyError(
            "Expected a service at the address; nothing answers there. See that it runs"
            + (
                ", and that SSL_CERT_FILE names who signed its certificate."
                if server.startswith("https")
                else "."
            )
        ) from None
    except (httpx.HTTPError, ValueError, KeyError, TypeError):  # no answer, or one of something else
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


class _ProblemError(Exception):
    """What the service says in place of an answer."""

    def __init__(self, problem: JobProblem) -> None:
        super().__init__(problem.detail)
        self.code = problem.type.rsplit("/", 1)[-1]
        self.detail = problem.detail
        self.fields = problem.model_extra or {}


class _Sender:
    """Sends one row after the other; used from many threads."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self._client = client
        self._model = model
        self._run = str(uuid7())
        self._waited_for: set[str] = set()
        self.stopped = threading.Event()

    def line(self, row: Row, digest: str) -> Line:
        """Send a row until there is an answer, or a reason why there is none."""
        try:
            with _one_file(files_in([row.image])) as image:
                job = self._accepted(row, digest, image)
            return answered(row.name, digest, self._answer(job))
        except _ProblemError as problem:
            return failed_with(row.name, digest, problem.code, problem.detail, problem.fields)
        except NeuroFuseError as error:
            return failed(row.name, digest, error)
        except OSError as error:
            return failed(row.name, digest, unreadable(error))

    def _accepted(self, row: Row, digest: str, image: IO[bytes]) -> JobStatus:
        key = f"cohort/{self._model}/{digest}"
        again = f"{key}/{self._run}"
        try:
            job = self._sent(key, row, image)
        except _ProblemError as problem:
            if problem.code != IdempotencyKeyReusedError.code:
                raise
            job = self._sent(again, row, image)  # an earlier release packed a folder of files in another way
        if job.state in {"failed", "cancelled"} and job.id not in self._waited_for:
            # The end of an earlier run; what failed is tried again, under a key of this run: however many runs have failed, the
            # image is sent twice.
            job = self._sent(again, row, image)
        self._waited_for.add(job.id)
        return job

    def _answer(self, job: JobStatus) -> Answer:
        """Wait for a job. Its end is read from its status: the answer to `/predictions/{id}` may be a 503 for good."""
        pause_s = AWAY_S
        while job.state in OPEN:
            self.stopped.wait(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 1.25 * pause_s)
            job = _told(JobStatus, self._asked("GET", f"/jobs/{job.id}"))
        if job.problem is not None:
            raise _ProblemError(job.problem)
        if job.state == "cancelled":
            raise JobCancelledError(
                "Expected a job with an answer; this one was cancelled. The same command sends the row again."
            )
        return _told(Answer, self._asked("GET", f"/predictions/{job.id}"))

    def _sent(self, key: str, row: Row, image: IO[bytes]) -> JobStatus:
        image.seek(0)
        fields = {"model": self._model, "heatmap": "none", "ehr": json.dumps(dict(row.record))}
        headers = {"Prefer": "respond-async", "Idempotency-Key": key}
        return _told(
            JobStatus, self._asked("POST", "/predict", data=fields, files={"image": image}, headers=headers)
        )

    def _asked(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        """Ask until the service is there and has a place.

        Raises:
            NotReadyError: It was away too long, or this command is to stop.
        """
        give_up_s = time.monotonic() + PATIENCE_S
        while not self.stopped.is_set() and time.monotonic() < give_up_s:
            try:
                response = self._client.request(method, path, **request)
            except httpx.RequestError:
                self.stopped.wait(AWAY_S)
            else:
                if response.status_code not in NOT_NOW:
                    return response
                self.stopped.wait(_pause_s(response))
            for file in request.get("files", {}).values():
                file.seek(0)
        raise NotReadyError("Expected the service to answer; it was away too long. The same command goes on.")


def _told(kind: type[Told], response: httpx.Response) -> Told:
    """What a service answers.

    Raises:
        _ProblemError: It says why it does not.
        NotReadyError: These are no words of a service, such as the page of a proxy.
    """
    try:
        if response.is_success:
            return kind.model_validate_json(response.content)
        problem = JobProblem.model_validate_json(response.content)
    except ValidationError:
        raise NotReadyError(
            "Expected the answer of a service of this release; something else answered, "
            f"with status {response.status_code}. See what stands between, such as a proxy and its limits."
        ) from None
    raise _ProblemError(problem)


def _pause_s(response: httpx.Response) -> float:
    """A proxy may name a date instead of seconds (RFC 9110, section 10.2.3); that is not waited for."""
    said = response.headers.get("Retry-After", "")
    return min(PATIENCE_S, float(said)) if said.isdecimal() else AWAY_S


@contextmanager
def _one_file(images: Sequence[Path]) -> Iterator[IO[bytes]]:
    """The files of a row as one: itself, or a zip of them in a temporary file."""
    if len(images) == 1:
        with images[0].open("rb") as file:
            yield file
        return
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for number, image in enumerate(images):
                # Nothing but the bytes: time and rights of a file are no part of the case, and the same case must be the same zip under its key.
                entry = zipfile.ZipInfo(f"{number:06d}")
                entry.file_size = image.stat().st_size
                with image.open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        file.seek(0)
        yield file
