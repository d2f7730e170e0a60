"""The database is gone and comes back, or somebody else holds it."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.server import Server, serving
from tests.service.test_jobs import held
from tests.service.test_problems import problem
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until


@pytest.mark.fault(
    "database gone and back (PostgreSQL)",
    "503 `storage-unavailable` with Retry-After meanwhile, probes stay; jobs that wait or run are answered once, and no "
    "restart is needed",
)
def test_a_database_that_comes_back_has_lost_nothing(
    postgres: Postgres, tiny_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    url = postgres.make_database()
    with serving(tiny_store, tmp_path / "var", database_url=url, job_attempts=1) as server:
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
    "each write waits up to 10 s and goes on; after that 503 `storage-unavailable` with Retry-After, for reading "
    "too, since what the audit trail cannot hold is not answered; probes, metrics and states of jobs never wait",
)
def test_a_locked_database_is_waited_for_and_then_said_to_be(
    server: Server, head_ct: Path, outcome: Outcome
) -> None:
    before = server.predict(head_ct, task="gos").json()
    with (
        closing(sqlite3.connect(server.data / "records.sqlite3", isolation_level=None)) as other,
        ThreadPoolExecutor() as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = threads.submit(server.predict, head_ct, task="gos")
        time.sleep(2)
        assert not waiting.done()
        other.execute("COMMIT")
        assert waiting.result().status_code == 200
        outcome.saw("200 after a lock of 2 s")
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        refused = threads.submit(server.predict, head_ct, task="gos")
        reading = threads.submit(server.client.get, f"/predictions/{before['id']}")
        for path in ("/livez", "/readyz", "/metrics", "/jobs"):
            assert server.client.get(path).status_code == 200
        for each in (refused, reading):
            problem(each.result(), 503, "storage-unavailable")
        outcome.saw(f"503 after {time.monotonic() - began:.0f} s of a longer one; probes meanwhile: 200")
        other.execute("COMMIT")
    assert server.client.get(f"/predictions/{before['id']}").json() == before
    assert server.predict(head_ct, task="gos").status_code == 200
    assert server.uploads_left() == []
