"""The command that runs the benchmarks."""

import subprocess
import sys
from importlib import import_module

import pytest

from benchmarks.__main__ import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_can_be_run(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").run)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], check=False, capture_output=True, text=True
    )
    assert answer.returncode == 2
    assert all(name in answer.stderr for name in NAMES)
