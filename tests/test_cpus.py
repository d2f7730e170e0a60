"""app.cpus: a container has fewer CPUs than its machine."""

import os
from pathlib import Path

import pytest

from app.cpus import _quota_cpus, usable_cpus

VERSION_2 = "0::/system.slice/neurofuse.service\n"
VERSION_1 = "4:memory:/docker/1f75\n3:cpu,cpuacct:/docker/1f75\n2:cpuset:/docker/1f75\n0::/docker/1f75\n"


def quota_cpus(root: Path, own: str, files: dict[str, str]) -> int:
    """What is found where a process is in these control groups, and these files lie below the mount."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    (root / "own").write_text(own)
    return _quota_cpus(root / "own", root)


def version_1(folder: str, quota: str) -> dict[str, str]:
    return {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": "100000"}


def test_threads_are_those_this_process_may_use() -> None:
    assert 1 <= usable_cpus() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("quota", "cpus"), [("200000", 2), ("150000", 2), ("50000", 1)])
@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu,cpuacct/docker/1f75"])
def test_a_quota_of_the_control_group_is_rounded_up(
    tmp_path: Path, folder: str, quota: str, cpus: int
) -> None:
    assert quota_cpus(tmp_path, VERSION_1, version_1(folder, quota)) == cpus
    assert quota_cpus(tmp_path, "0::/\n", {"cpu.max": f"{quota} 100000"}) == cpus


def test_the_least_quota_of_all_groups_above_counts(tmp_path: Path) -> None:
    files = {
        "system.slice/cpu.max": "300000 100000",
        "system.slice/neurofuse.service/cpu.max": "max 100000",
        "system.slice/other.service/cpu.max": "100000 100000",
    }
    assert quota_cpus(tmp_path, VERSION_2, files) == 3
    files["system.slice/neurofuse.service/cpu.max"] = "200000 100000"
    assert quota_cpus(tmp_path, VERSION_2, files) == 2


@pytest.mark.parametrize("text", ["max 100000", "", "x y"])
def test_no_quota_means_the_machines_cpus(tmp_path: Path, text: str) -> None:
    assert quota_cpus(tmp_path, "0::/\n", {"cpu.max": text}) == os.cpu_count()
    assert quota_cpus(tmp_path, VERSION_1, version_1("cpu,cpuacct", "-1")) == os.cpu_count()
    assert _quota_cpus(tmp_path / "absent", tmp_path) == os.cpu_count()
