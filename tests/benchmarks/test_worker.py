"""A contender in a process of its own."""

import sys
from pathlib import Path

import pytest

from benchmarks.contest import contenders
from benchmarks.job import Job


def test_a_worker_times_its_contender_and_tells_of_its_failure_without_ending(tmp_path: Path) -> None:
    file = tmp_path / "slice"
    file.write_bytes(bytes(2048))
    here, nowhere = (Job((str(tmp_path / name),), str(tmp_path), {}) for name in ("slice", "nowhere"))
    with contenders({"floor": Path(sys.executable)}) as (worker,):
        assert "FileNotFoundError" in worker.ask("time", nowhere)["failed"]
        taken = worker.ask("time", here)
        assert taken["wall_s"] > 0
        assert taken["cpu_s"] >= 0


def test_a_worker_that_cannot_start_is_named() -> None:
    with (
        contenders({"nobody": Path(sys.executable)}) as (worker,),
        pytest.raises(RuntimeError, match="worker of nobody ended"),
    ):
        worker.ask("time", Job((), "", {}))
