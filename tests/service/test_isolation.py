"""A decoder that dies takes one request with it; a service that ends takes every process with it."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service.processes import (
    alive,
    descendants,
    libraries,
    long_to_read,
    parent,
    readers,
    stopped_readers,
    workers,
)
from tests.service.server import Server, problem, serving
from tests.support.waiting import LONGEST_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")


@pytest.fixture(scope="module")
def isolated(gos_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, whose main module is the service's: its workers are killed, and what they hold is looked at."""
    data = tmp_path_factory.mktemp("isolated") / "var"
    with serving(gos_store, data, own=True, read_workers=2) as running:
        yield running


def test_a_worker_that_crashes_while_it_reads_costs_one_request(isolated: Server, head_ct: Path) -> None:
    """One that is killed is among the faults: `tests/faults/test_processes.py`."""
    with ThreadPoolExecutor() as threads:
        doomed = threads.submit(isolated.predict, long_to_read(), task="gos")
        for pid in stopped_readers(isolated):
            os.kill(pid, signal.SIGSEGV)
            os.kill(pid, signal.SIGCONT)
        refused = problem(doomed.result(), 422, "unreadable-image")
    assert "ended abnormally" in refused["detail"]
    assert isolated.predict(head_ct, task="gos").status_code == 200
    assert isolated.uploads_left() == []
    assert isolated.client.get("/readyz").status_code == 200


def test_the_service_goes_on_when_all_that_reads_is_killed_at_once(isolated: Server, head_ct: Path) -> None:
    fork_server = {parent(pid) for pid in workers(isolated)}
    assert len(fork_server) == 1
    killed = workers(isolated) | fork_server
    os.kill(fork_server.pop(), signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in killed))
    assert isolated.predict(head_ct, task="gos").status_code == 200


def test_workers_hold_nothing_of_the_service_that_started_them(isolated: Server) -> None:
    assert "onnxruntime" in libraries(isolated.process.pid)
    assert workers(isolated)
    assert not any("onnxruntime" in libraries(pid) for pid in workers(isolated))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_service(gos_store: Path, tmp_path: Path, end: signal.Signals) -> None:
    with serving(gos_store, tmp_path / "var") as server, ThreadPoolExecutor() as threads:
        waiting = threads.submit(server.predict, long_to_read(), task="gos")
        readers(server)
        left = descendants(server.process.pid)
        assert len(left) > 2
        server.process.send_signal(end)
        server.process.wait(timeout=LONGEST_S)
        wait_until(lambda: not any(alive(pid) for pid in left))
        waiting.exception()  # answered or cut off, as the signal has it
