"""training.ablation.work: a job does not outlive its ablation."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import LONGEST_S

pytestmark = pytest.mark.torch

PROGRAM = """
import multiprocessing, sys
from pathlib import Path

def job(pipe):
    from training.ablation.work import end_with_parent  # with torch, which takes seconds
    end_with_parent()
    Path(pipe).read_bytes()

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")  # as `execute` starts jobs
    process = context.Process(target=job, args=sys.argv[1:])
    process.start()
    process.join()
"""


def test_a_job_ends_with_an_ablation_that_is_killed(tmp_path: Path) -> None:
    program, pipe = tmp_path / "program.py", tmp_path / "image"
    program.write_text(PROGRAM)
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, str(program), str(pipe)]) as ablation:  # noqa: S603 - this program
        writer = os.open(pipe, os.O_WRONLY)  # returns when the job reads
        ablation.send_signal(signal.SIGKILL)
        ends = select.poll()
        ends.register(writer, 0)  # tells of nothing but that the last reader is gone
        assert ends.poll(LONGEST_S * 1000), "the job goes on"
        os.close(writer)
