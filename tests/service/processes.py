"""The processes of a running service, as Linux shows them in proc(5)."""

import gzip
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from app.imaging.workers.isolation import CLEANER
from tests.service.server import Server
from tests.support.frozen import frozen
from tests.support.waiting import wait_until

BLOCK_BYTES = 64 << 20


def descendants(pid: int) -> set[int]:
    """Processes that a process started, directly or not, and that live."""
    parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def workers(server: Server) -> set[int]:
    """Processes that read images: grandchildren of the service, forked from a server process of its own."""
    pid = server.process.pid
    return {found for found in descendants(pid) if parent(found) != pid and name(found) != CLEANER}


def readers(server: Server) -> set[int]:
    """Workers that have an upload open, once there are some."""
    return wait_until(lambda: _reading(server))


def stopped_readers(server: Server) -> set[int]:
    """Such workers, which stand still: none of them can end its reading before a test ends it."""

    def stopped() -> set[int]:
        found = readers(server)
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: all(_stands(pid) for pid in found))
        done = found - _reading(server)
        for pid in done:
            os.kill(pid, signal.SIGCONT)
        return found - done

    return wait_until(stopped)


@cache
def long_to_read() -> tuple[str, bytes]:
    """A small upload of a quarter of a gigabyte of voxels, all within the limits."""
    header = nib.Nifti1Header()
    header.set_data_shape((1024, 1024, 128))
    header.set_data_dtype(np.int16)
    header.set_sform(np.diag([0.2, 0.2, 1.6, 1.0]), 1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    voxels = gzip.compress(bytes(BLOCK_BYTES), 1)
    return "long.nii.gz", gzip.compress(header.binaryblock + bytes(4)) + 4 * voxels


def name(pid: int) -> str:
    """What a process is called, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def parent(pid: int) -> int:
    """The process that started this one, 0 where it has ended."""
    return _parent(Path(f"/proc/{pid}/stat"))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return _fields(Path(f"/proc/{pid}/stat"))[0] != "Z"
    except OSError:
        return False


def open_files(pid: int) -> list[Path]:
    """What a process has open now."""
    try:
        return [Path(os.readlink(link)) for link in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115 - not resolved
    except OSError:
        return []


def libraries(pid: int) -> str:
    """Files a process has mapped, as text."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def _reading(server: Server) -> set[int]:
    uploads = (server.data / "uploads").resolve()
    return {pid for pid in workers(server) if any(path.is_relative_to(uploads) for path in open_files(pid))}


def _stands(pid: int) -> bool:
    return _fields(Path(f"/proc/{pid}/stat"))[0] == "T"


def _parent(stat: Path) -> int:
    try:
        return int(_fields(stat)[1])
    except OSError:  # it ended meanwhile
        return 0


def _fields(stat: Path) -> list[str]:
    """State, parent and so on: what comes after the name, which may hold spaces."""
    return stat.read_text(encoding="utf-8").rpartition(")")[2].split()


@contextmanager
def held(server: Server) -> Iterator[None]:
    """Nothing is read while the block runs: the process that reads stands still."""
    with frozen(workers(server)):
        yield
