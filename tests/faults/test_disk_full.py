"""The disk of the data folder is full: a real, small file system."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.processes import held
from tests.service.server import Server, problem, serving
from tests.support.small_disk import full, mounted
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def cramped(gos_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose data folder is a disk of its own, with one chance for a job."""
    with (
        mounted(tmp_path_factory.mktemp("cramped")) as disk,
        serving(gos_store, disk, max_concurrent=1, job_attempts=1) as server,
    ):
        yield server


@pytest.mark.fault(
    "disk full",
    "every request about a case is refused with 503 `storage-unavailable` and leaves no file, for reading too where the audit "
    "trail lies on that disk; probes stay; all goes on once there is room, without a restart",
)
def test_a_full_disk_refuses_new_cases_and_nothing_else(
    cramped: Server, head_ct: Path, outcome: Outcome
) -> None:
    before = cramped.predict(head_ct, task="gos").json()
    with full(cramped.data):
        refused = [cramped.predict(head_ct, task="gos", path=path) for path in ("/predict", "/uploads")]
        refused += [send(cramped, head_ct, task="gos"), cramped.client.get(f"/predictions/{before['id']}")]
        for each in refused:
            problem(each, 503, "storage-unavailable")
            assert int(each.headers["retry-after"]) > 0
        outcome.saw("503 for a case, a preview, a job and an answer")
        assert cramped.client.get("/readyz").status_code == 200
        assert cramped.uploads_left() == []
    assert cramped.client.get(f"/predictions/{before['id']}").json() == before
    assert cramped.predict(head_ct, task="gos").status_code == 200
    outcome.saw("200 for the first case after room was made")
    assert "request-fault" not in cramped.log.read_text()


@pytest.mark.fault(
    "disk full while a job is worked on",
    "the job waits, costs none of its chances, and is answered once there is room",
)
def test_a_job_that_finds_the_disk_full_waits_for_room(
    cramped: Server, head_ct: Path, outcome: Outcome
) -> None:
    def faults() -> int:
        return cramped.log.read_text().count("runner-fault")

    before = faults()
    with ExitStack() as filled:
        with held(cramped):
            job_id = accepted(send(cramped, head_ct, task="gos"))
            wait_until(lambda: state(cramped, job_id) == "running")
            filled.enter_context(full(cramped.data))
        wait_until(lambda: faults() > before)
        outcome.saw(f"`{state(cramped, job_id)}` while the disk is full")
    with outcome.timed("`done` {} after room was made"):
        assert ended(cramped, job_id)["state"] == "done"
