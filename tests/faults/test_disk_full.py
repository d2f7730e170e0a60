"""The disk of the data folder is full: a real, small file system."""

from pathlib import Path

import pytest

from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.server import serving
from tests.service.test_jobs import held
from tests.service.test_problems import problem
from tests.support.small_disk import full
from tests.support.waiting import wait_until


@pytest.mark.fault(
    "disk full",
    "every request about a case is refused with 503 `storage-unavailable` and leaves no file, for reading too where the audit "
    "trail lies on that disk; probes stay; all goes on once there is room, without a restart",
)
def test_a_full_disk_refuses_new_cases_and_nothing_else(
    small_disk: Path, tiny_store: Path, head_ct: Path, outcome: Outcome
) -> None:
    with serving(tiny_store, small_disk, max_concurrent=1) as server:
        before = server.predict(head_ct, task="gos").json()
        with full(small_disk):
            refused = [server.predict(head_ct, task="gos", path=path) for path in ("/predict", "/uploads")]
            refused += [send(server, head_ct, task="gos"), server.client.get(f"/predictions/{before['id']}")]
            for each in refused:
                problem(each, 503, "storage-unavailable")
                assert int(each.headers["retry-after"]) > 0
            outcome.saw("503 for a case, a preview, a job and an answer")
            assert server.client.get("/readyz").status_code == 200
            assert server.uploads_left() == []
        assert server.client.get(f"/predictions/{before['id']}").json() == before
        assert server.predict(head_ct, task="gos").status_code == 200
        outcome.saw("200 for the first case after room was made")
        assert "request-fault" not in server.log.read_text()


@pytest.mark.fault(
    "disk full while a job is worked on",
    "the job waits, costs none of its chances, and is answered once there is room",
)
def test_a_job_that_finds_the_disk_full_waits_for_room(
    small_disk: Path, tiny_store: Path, head_ct: Path, outcome: Outcome
) -> None:
    with serving(tiny_store, small_disk, max_concurrent=1, job_attempts=1) as server:
        with held(server):
            job_id = accepted(send(server, head_ct, task="gos"))
            wait_until(lambda: state(server, job_id) == "running")
            filled = full(small_disk)
            filled.__enter__()
        wait_until(lambda: "runner-fault" in server.log.read_text())
        outcome.saw(f"`{state(server, job_id)}` while the disk is full")
        filled.__exit__(None, None, None)
        with outcome.timed("`done` {} after room was made"):
            assert ended(server, job_id)["state"] == "done"
