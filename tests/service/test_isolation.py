"""A decoder that dies takes one request with it; a service that ends takes every process with it."""

import gzip
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.service.processes import alive, descendants, libraries, open_files, parent, workers
from tests.service.server import Server, serving
from tests.service.test_problems import problem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")

BLOCK_BYTES = 64 << 20


@pytest.fixture(scope="module")
def isolated(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: its workers are killed."""
    with serving(tiny_store, tmp_path_factory.mktemp("isolated") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def long_to_read() -> tuple[str, bytes]:
    """A small upload of half a gigabyte of voxels, all within the limits."""
    header = nib.Nifti1Header()
    header.set_data_shape((1024, 1024, 256))
    header.set_data_dtype(np.int16)
    header.set_sform(np.diag([0.2, 0.2, 0.8, 1.0]), 1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    voxels = gzip.compress(bytes(BLOCK_BYTES), 1)
    return "long.nii.gz", gzip.compress(header.binaryblock + bytes(4)) + 8 * voxels


def readers(server: Server) -> list[int]:
    """Workers that have an upload open."""
    uploads = (server.data / "uploads").resolve()
    return [pid for pid in workers(server) if any(path.is_relative_to(uploads) for path in open_files(pid))]


def test_a_worker_that_crashes_while_it_reads_costs_one_request(
    isolated: Server, head_ct: Path, long_to_read: tuple[str, bytes]
) -> None:
    """One that is killed is among the faults: `tests/faults/test_processes.py`."""
    with ThreadPoolExecutor() as threads:
        doomed = threads.submit(isolated.predict, long_to_read, task="gos")
        wait_until(lambda: bool(readers(isolated)))
        for pid in readers(isolated):
            os.kill(pid, signal.SIGSEGV)
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
def test_no_process_outlives_the_service(
    tiny_store: Path, tmp_path: Path, long_to_read: tuple[str, bytes], end: signal.Signals
) -> None:
    with serving(tiny_store, tmp_path / "var") as server, ThreadPoolExecutor() as threads:
        waiting = threads.submit(server.predict, long_to_read, task="gos")
        wait_until(lambda: bool(readers(server)))
        left = descendants(server.process.pid)
        assert len(left) > 2
        server.process.send_signal(end)
        server.process.wait(timeout=60)
        wait_until(lambda: not any(alive(pid) for pid in left))
        waiting.exception()  # answered or cut off, as the signal has it
