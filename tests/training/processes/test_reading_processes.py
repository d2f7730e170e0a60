"""training.processes.reading_processes: nothing is left of a command that was killed, and a lost process is told of in words."""

import multiprocessing
import os
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.waiting import LONGEST_S
from training.cohort import CohortError
from training.processes.reading_processes import reading_processes

PROGRAM = """
import sys
from pathlib import Path
from training.processes.reading_processes import reading_processes
with reading_processes(2) as pool:
    list(pool.map(Path.read_bytes, [Path(sys.argv[1])] * 2))
"""
INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from training.processes.reading_processes import reading_processes
pipe, folder = map(Path, sys.argv[1:])

def interrupt():
    pipe.read_bytes()  # returns when everything waits in the pool
    os.killpg(os.getpgid(0), signal.SIGINT)  # what Ctrl-C on a terminal does

try:
    with reading_processes(1) as pool:
        first = pool.submit(interrupt)
        for number in range(3000):
            pool.submit(Path.touch, folder / str(number))
        pipe.write_bytes(b"")
        first.result()
        signal.pause()
except KeyboardInterrupt:
    sys.exit(130)
"""


def read_whole(pipe: Path, workers: int) -> None:
    with reading_processes(workers) as pool:
        list(pool.map(Path.read_bytes, [pipe] * workers))


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that is read without end, as from a disk that hangs."""
    path = tmp_path / "image"
    os.mkfifo(path)
    return path


def test_processes_end_with_a_command_that_is_killed(pipe: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(pipe)]) as command:  # noqa: S603 - this program
        writer = os.open(pipe, os.O_WRONLY)  # returns when somebody reads
        command.send_signal(signal.SIGKILL)
        ends = select.poll()
        ends.register(writer, 0)  # tells of nothing but that the last reader is gone
        assert ends.poll(LONGEST_S * 1000), "a process is still reading"
        os.close(writer)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_gives_up_what_waits_and_leaves_no_stack_trace(pipe: Path, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", INTERRUPTED, str(pipe), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stderr) == (130, "")
    assert not (tmp_path / "2999").exists()


def test_a_process_that_is_ended_from_outside_is_told_of_in_words(pipe: Path) -> None:
    with ThreadPoolExecutor(1) as thread:
        command = thread.submit(read_whole, pipe, 1)
        writer = os.open(pipe, os.O_WRONLY)
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(
            CohortError, match="ended from outside, mostly because memory ran out; give fewer workers"
        ):
            command.result(LONGEST_S)
        os.close(writer)
