"""The machine's clock jumps; time that passes goes on as before."""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.outcomes import Outcome
from tests.service.jobs import accepted, ended, send, state
from tests.service.processes import held
from tests.service.server import serving
from tests.support.waiting import wait_until

SOURCE = Path(__file__).with_name("clock.c")
HOUR_S = 3600


@pytest.fixture
def set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of what the test starts, in seconds beside the real one."""
    compiler = shutil.which("cc")
    if compiler is None and os.environ.get("CI"):
        pytest.fail("CI must have a C compiler: install Debian's packages gcc and libc6-dev")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("the clock of one process is moved by a library, which needs Linux and a C compiler")
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", SOURCE, "-o", library, "-ldl"], check=True)  # noqa: S603 - ours
    offset.write_bytes(bytes(8))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("CLOCK_OFFSET_FILE", str(offset))

    def change(seconds: int) -> None:
        with offset.open("r+b") as file:
            file.write(struct.pack("=q", seconds))

    return change


@pytest.mark.fault(
    "clock jump",
    "cases and jobs in hand are answered once, those that wait do not wait for the clock; deadlines and time limits run on "
    "the monotonic clock and are not met early or late",
)
def test_a_clock_that_jumps_loses_no_job_and_delays_none(
    set_clock: Callable[[int], None], gos_store: Path, head_ct: Path, tmp_path: Path, outcome: Outcome
) -> None:
    with serving(gos_store, tmp_path / "var", own=True, max_concurrent=1) as server:

        def jump(clock_s: int, words: str) -> None:
            with held(server):
                jobs = [accepted(send(server, head_ct, task="gos")) for _ in range(3)]
                wait_until(lambda: "running" in {state(server, job_id) for job_id in jobs})
                set_clock(clock_s)
            with outcome.timed(f"{words}: three jobs `done` {{}} later"):
                assert [ended(server, job_id)["state"] for job_id in jobs] == ["done"] * 3
            assert server.predict(head_ct, task="gos").status_code == 200

        jump(HOUR_S, "+1 h")
        jump(0, "-1 h")
        assert server.client.get("/predictions").json()["total"] == 2 * 4
