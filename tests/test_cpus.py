"""app.cpus: a container has fewer CPUs than its machine."""

import os
from pathlib import Path

import pytest

from app.cpus import _quota_cpus, usable_cpus


def test_threads_are_those_this_process_may_use() -> None:
    assert 1 <= usable_cpus() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("text", "cpus"), [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1)])
def test_a_quota_of_the_control_group_is_rounded_up(tmp_path: Path, text: str, cpus: int) -> None:
    (tmp_path / "cpu.max").write_text(text + "\n")
    assert _quota_cpus(tmp_path / "cpu.max") == cpus


@pytest.mark.parametrize("text", ["max 100000", "", "x y"])
def test_no_quota_means_the_machines_cpus(tmp_path: Path, text: str) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert _quota_cpus(tmp_path / "cpu.max") == os.cpu_count()
    assert _quota_cpus(tmp_path / "absent") == os.cpu_count()
