"""`kill -9` at random moments while jobs are accepted and worked on: what a client was promised, and what it finds in the end."""

import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import sqlalchemy

from benchmarks.load import Body
from benchmarks.service import Service, start

SENDERS: Final = 2
PAUSE_S: Final = 0.15
"""Between two cases of a sender: about what the service gets done between two kills."""
LATEST_S: Final = 1.0
"""A kill comes at a random moment within so many seconds after the service is ready."""
IN_THE_START: Final = 0.2
"""Share of the kills that come before it is ready."""
DRAIN_S: Final = 300.0
LOOK_S: Final = 0.1
ACCEPTED, DONE = 202, 200
BOUNDLESS: Final = 1_000_000
"""Attempts of one job: it is the kills that interrupt it, not the case."""
SEED: Final = 2112


@dataclass
class Reckoning:
    """What was promised and what became of it.

    Attributes:
        kills: Times that the service was killed.
        sent: Cases, each sent again under its own key until it was accepted.
        accepted: Ids by key; more than one for a key would be a broken promise.
        lost: Accepted jobs without an answer in the end, and cases that were not accepted within minutes.
        doubled: Cases with more than one answer.
        strays: Answers that nobody asked for.
        taken_up: Jobs that were begun more than once, because a kill came in the middle.
    """

    kills: int = 0
    sent: int = 0
    accepted: dict[str, set[str]] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    strays: int = 0
    taken_up: int = 0


class _Senders:
    """Clients that send small cases on and on, each until it is accepted."""

    def __init__(self, body: Body, reckoning: Reckoning) -> None:
        self._content = body.path.read_bytes()
        self._content_type = body.content_type
        self._reckoning = reckoning
        self._over = threading.Event()
        self.url = ""
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new case; those that were begun are sent until they are accepted."""
        self._over.set()
        for thread in self._threads:
            thread.join(DRAIN_S)

    def _send(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._over.wait(PAUSE_S):
                key = str(uuid.uuid4())
                self._reckoning.accepted[key] = set()
                self._until_accepted(client, key)

    def _until_accepted(self, client: httpx.Client, key: str) -> None:
        headers = {
            "Content-Type": self._content_type,
            "Prefer": "respond-async",
            "Idempotency-Key": key,
            "X-Request-ID": key,
        }
        give_up = time.monotonic() + DRAIN_S
        while time.monotonic() < give_up:
            try:
                answer = client.post(f"{self.url}/predict", content=self._content, headers=headers)
            except httpx.TransportError:
                answer = None  # killed in the middle: accepted or not, the key will tell
            if answer is not None and answer.status_code in (ACCEPTED, DONE):
                self._reckoning.accepted[key].add(answer.headers["Location"].rpartition("/")[2])
                return
            time.sleep(LOOK_S)


def kill_again_and_again(store: Path, data: Path, body: Body, kills: int, database_url: str) -> Reckoning:
    """Kill a service that accepts jobs, and start it again in the same data folder.

    Args:
        store: Holds one package.
        data: Its data folder.
        body: Of each case; sent with a key of its own.
        kills: How often.
        database_url: Of PostgreSQL; empty for SQLite.
    """
    reckoning, moments = Reckoning(), random.Random(SEED)  # noqa: S311 - moments, no secrets
    senders = _Senders(body, reckoning)
    service = _started(store, data, database_url, senders)
    senders.start()
    try:
        for _ in range(kills):
            if moments.random() > IN_THE_START:
                service.process.wait_until(f"{service.url}/readyz")
            time.sleep(moments.uniform(0.0, LATEST_S))
            service.process.kill()
            reckoning.kills += 1
            service = _started(store, data, database_url, senders)
        senders.stop()
        _reckon(service, data, database_url, reckoning)
    finally:
        service.process.close()
    return reckoning


def _started(store: Path, data: Path, database_url: str, senders: _Senders) -> Service:
    service = start(
        store,
        data,
        database_url=database_url,
        job_attempts=BOUNDLESS,
        max_batch=1,
        batch_wait_ms=0,
        case_hours=0,
    )
    service.process.wait_until(f"{service.url}/livez")
    senders.url = service.url
    return service


def _reckon(service: Service, data: Path, database_url: str, reckoning: Reckoning) -> None:
    reckoning.sent = len(reckoning.accepted)
    ids = [job for jobs in reckoning.accepted.values() for job in jobs]
    never = sum(not jobs for jobs in reckoning.accepted.values())
    reckoning.lost = never + sum(not _is_answered(service, job) for job in ids)
    reckoning.doubled = sum(len(jobs) > 1 for jobs in reckoning.accepted.values())
    url = (
        database_url.replace("postgresql:", "postgresql+psycopg:") or f"sqlite:///{data / 'records.sqlite3'}"
    )
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as records:
        answers = Counter(records.scalars(sqlalchemy.text("SELECT id FROM predictions")))
        again = records.scalar(sqlalchemy.text("SELECT count(*) FROM jobs WHERE attempt > 1"))
    engine.dispose()
    reckoning.strays = len(answers.keys() - set(ids))
    reckoning.taken_up = int(again or 0)


def _is_answered(service: Service, job: str) -> bool:
    deadline = time.monotonic() + DRAIN_S
    with httpx.Client(timeout=30) as client:
        while time.monotonic() < deadline:
            status = client.get(f"{service.url}/predictions/{job}").status_code
            if status != ACCEPTED:
                return status == DONE
            time.sleep(LOOK_S)
    return False
