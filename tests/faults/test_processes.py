"""Processes end: a worker, the service, or the service with work in hand."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.processes import held, long_to_read, stopped_readers
from tests.service.server import Server, problem, serving
from tests.service.test_load import wait_for_pending
from tests.support.waiting import LONGEST_S, wait_until

JOBS, CLIENTS = 3, 6


@pytest.mark.fault(
    "worker killed",
    "the case it read is refused with 422 `unreadable-image`; every other case, and the next, is answered",
)
def test_a_killed_worker_costs_one_case(server: Server, head_ct: Path, outcome: Outcome) -> None:
    with ThreadPoolExecutor() as threads:
        doomed = threads.submit(server.predict, long_to_read(), task="gos")
        for pid in stopped_readers(server):
            os.kill(pid, signal.SIGKILL)
        others = [threads.submit(server.predict, head_ct, task="gos") for _ in range(3)]
        problem(doomed.result(), 422, "unreadable-image")
        seen = Counter(other.result().status_code for other in others)
    assert seen == {200: 3}
    outcome.saw("422 for one, 200 for three beside it")
    assert server.uploads_left() == []


@pytest.mark.fault(
    "SIGTERM under load",
    "nothing new is let in; every case inside is answered; jobs end or wait for the next start, each answered once; the "
    "process ends by itself within 30 s",
)
def test_a_service_that_is_told_to_stop_loses_nothing(
    gos_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    settings: dict[str, Any] = {"max_concurrent": 1, "queue_limit": 40, "read_workers": 1}
    grace = {
        "app.cli.serve.GRACEFUL_SHUTDOWN_S": LONGEST_S
    }  # 30 s are enough for few cases of a machine as slow as this one may be
    with (
        serving(gos_store, tmp_path / "var", constants=grace, **settings) as server,
        ThreadPoolExecutor() as threads,
    ):
        with held(server):
            clients = [threads.submit(server.predict, head_ct, task="gos") for _ in range(CLIENTS)]
            wait_for_pending(server, CLIENTS)
            jobs = [accepted(send(server, head_ct, task="gos")) for _ in range(JOBS)]
            server.process.terminate()
        with outcome.timed("process ended {} later"):
            answers = [client.result() for client in clients]
            assert server.process.wait(timeout=LONGEST_S) in (0, -signal.SIGTERM)
        assert [answer.status_code for answer in answers] == [200] * CLIENTS
    assert "Application shutdown complete" in server.log.read_text()
    with serving(gos_store, tmp_path / "var", **settings) as server:
        assert [ended(server, job_id)["state"] for job_id in jobs] == ["done"] * JOBS
        listed = server.client.get("/predictions").json()
        assert {item["id"] for item in listed["items"]} == {
            *jobs,
            *(answer.json()["id"] for answer in answers),
        }
        assert listed["total"] == JOBS + CLIENTS
        outcome.saw(
            f"{CLIENTS} of {CLIENTS} cases answered 200, {JOBS} of {JOBS} jobs `done` once after the next start"
        )


@pytest.mark.fault(
    "killed with jobs pending, restarted",
    "jobs that waited and the one that was worked on are answered once each",
)
def test_pending_jobs_are_answered_after_a_restart(
    gos_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    with serving(gos_store, tmp_path / "var", max_concurrent=1) as server, held(server):
        jobs = [accepted(send(server, head_ct, task="gos")) for _ in range(JOBS)]
        wait_until(lambda: "running" in {state(server, job_id) for job_id in jobs})
        server.process.kill()
        server.process.wait()
    with serving(gos_store, tmp_path / "var", max_concurrent=1) as server:
        with outcome.timed(f"{JOBS} of {JOBS} `done` {{}} after the service was ready again, each once"):
            assert [ended(server, job_id)["state"] for job_id in jobs] == ["done"] * JOBS
        listed = server.client.get("/predictions").json()
        assert (listed["total"], {item["id"] for item in listed["items"]}) == (JOBS, set(jobs))
        wait_until(lambda: not any((server.data / "jobs").glob("*")))
        assert server.uploads_left() == []
