"""The service is killed in mid-work, again and again: what it accepted is answered once, and nothing is left behind."""

import os
import random
import signal
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.jobs import ASYNC, ended, send
from tests.service.server import Server, serving
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

KILLS = 2
"""The benchmark `serving_faults` kills 200 times on each database, and its own test once on SQLite."""
CASES = 6
"""Sent between two kills."""


class Client:
    """Sends cases, each under a key of its own, until each is accepted: what a careful client does.

    Attributes:
        jobs: Id of the job by key.
    """

    def __init__(self, image: Path) -> None:
        self._image = image
        self.jobs: dict[str, str] = {}

    def send(self, server: Server, keys: list[str]) -> None:
        for key in keys:
            try:
                response = send(server, self._image, ASYNC | {"Idempotency-Key": key}, task="gos")
            except httpx.TransportError:
                return  # killed; it will be sent again under the same key
            assert response.status_code == 202, response.text
            # A key that was answered before the kill leads to the same job after it.
            assert self.jobs.setdefault(key, response.json()["id"]) == response.json()["id"]


@contextmanager
def killed(server: Server, after_s: float) -> Iterator[None]:
    """The service is killed while the block runs, or at its end."""
    timer = threading.Timer(after_s, os.kill, (server.process.pid, signal.SIGKILL))
    timer.start()
    yield
    timer.join()
    server.process.wait()


@pytest.mark.slow
def test_what_was_accepted_is_answered_once_however_often_the_service_is_killed(
    postgres: Postgres, gos_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"job_attempts": 50, "database_url": postgres.make_database()}
    client, chance, keys = Client(head_ct), random.Random(20211221), list[str]()  # noqa: S311 - moments of kills
    data = tmp_path / "var"
    for _ in range(KILLS):
        with serving(gos_store, data, **settings) as server:
            keys += [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(CASES)]
            with killed(server, chance.uniform(0.05, 1.5)):
                client.send(server, [key for key in keys if key not in client.jobs])
    with serving(gos_store, data, **settings) as server:
        client.send(server, keys)
        assert len(set(client.jobs.values())) == len(keys) == KILLS * CASES
        assert [ended(server, job_id)["state"] for job_id in client.jobs.values()] == ["done"] * len(keys)
        listed = server.client.get("/predictions", params={"limit": 200}).json()
        assert {item["id"] for item in listed["items"]} == set(client.jobs.values())
        assert listed["total"] == len(keys)
        for job_id in client.jobs.values():
            answer = server.client.get(f"/predictions/{job_id}").json()
            assert server.client.get(answer["heatmap"]["nifti"]).status_code == 200
        _wait_until_gone(data / "jobs", client.jobs.values())


def _wait_until_gone(folder: Path, job_ids: Iterable[str]) -> None:
    """What was put for a case and never accepted, since the kill came in between, is swept ten minutes later."""
    wait_until(lambda: not any((folder / job_id).exists() for job_id in job_ids))
