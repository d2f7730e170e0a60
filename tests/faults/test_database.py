"""The database is gone and comes back, or somebody else holds it."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.records.sqlite import BUSY_TIMEOUT_S
from tests.faults.conftest import HURRIED_S, LOCK
from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.processes import held
from tests.service.server import Server, problem, serving
from tests.support.postgres import Postgres
from tests.support.waiting import LONGEST_S, wait_until

ROUNDS = 20


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Somebody else holds its database while the block runs."""
    path = server.data / "records.sqlite3"
    with closing(sqlite3.connect(path, timeout=LONGEST_S, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.fault(
    "database gone and back (PostgreSQL)",
    "503 `storage-unavailable` with Retry-After meanwhile, probes stay; jobs that wait or run are answered once, and no "
    "restart is needed",
)
def test_a_database_that_comes_back_has_lost_nothing(
    postgres: Postgres, gos_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    url = postgres.make_database()
    with serving(gos_store, tmp_path / "var", database_url=url, job_attempts=1) as server:
        with held(server):
            jobs = [accepted(send(server, head_ct, task="gos")) for _ in range(3)]
            wait_until(lambda: "running" in {state(server, job_id) for job_id in jobs})
            postgres.stop()
        try:
            refused = server.predict(head_ct, task="gos")
            problem(refused, 503, "storage-unavailable")
            assert int(refused.headers["retry-after"]) > 0
            assert server.client.get("/livez").status_code == 200
            assert server.client.get("/readyz").status_code == 200
            assert server.client.get("/metrics").status_code == 200
            wait_until(lambda: "runner-fault" in server.log.read_text())
        finally:
            postgres.start()
        with outcome.timed("503 while it is gone; 200 and three jobs `done` {} after it is back"):
            assert server.predict(head_ct, task="gos").status_code == 200
            assert {ended(server, job_id)["state"] for job_id in jobs} == {"done"}
        assert server.client.get("/predictions").json()["total"] == len(jobs) + 1


@pytest.mark.fault(
    "database locked (SQLite)",
    f"each write waits up to {BUSY_TIMEOUT_S} s and goes on; after that 503 `storage-unavailable` with Retry-After, for reading "
    "too, since what the audit trail cannot hold is not answered; probes, metrics and states of jobs never wait",
)
def test_a_locked_database_is_waited_for_and_then_said_to_be(
    gos_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    patience = {LOCK: LONGEST_S}
    with (
        serving(gos_store, tmp_path / "var", constants=patience) as patient,
        ThreadPoolExecutor() as threads,
    ):
        there = patient.predict(head_ct, task="gos").json()
        with locked(patient):
            waiting = [
                threads.submit(patient.predict, head_ct, task="gos"),
                threads.submit(patient.client.get, f"/predictions/{there['id']}"),
            ]
            # Often, as the first overtake what was sent before them.
            for path in ("/livez", "/readyz", "/metrics", "/jobs") * ROUNDS:
                assert patient.client.get(path).status_code == 200
            assert not any(each.done() for each in waiting)
        assert [each.result().status_code for each in waiting] == [200, 200]
        outcome.saw("200 once a lock is gone; probes meanwhile: 200")
    with serving(gos_store, tmp_path / "hasty", constants={LOCK: HURRIED_S}) as hasty:
        before = hasty.predict(head_ct, task="gos").json()
        with locked(hasty), ThreadPoolExecutor() as threads:
            began = time.monotonic()
            refused = threads.submit(hasty.predict, head_ct, task="gos")
            reading = threads.submit(hasty.client.get, f"/predictions/{before['id']}")
            for each in (refused, reading):
                problem(each.result(), 503, "storage-unavailable")
            assert time.monotonic() - began > HURRIED_S - 1
            outcome.saw(f"503 after {time.monotonic() - began:.0f} s of a longer one (set to {HURRIED_S} s)")
        assert hasty.client.get(f"/predictions/{before['id']}").json() == before
        assert hasty.predict(head_ct, task="gos").status_code == 200
        assert hasty.uploads_left() == []
