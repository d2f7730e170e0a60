"""training.processes.threads: children are told, and the environment is as it was afterwards."""

import os
import subprocess
import sys

import pytest

from training.processes.threads import threads_of_children


def test_children_are_told_and_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    tell = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    with threads_of_children(3):
        told = subprocess.check_output([sys.executable, "-c", tell], text=True)  # noqa: S603 - our own words
    assert told.split() == ["3", "3"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_an_error_leaves_nothing_behind_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with pytest.raises(ZeroDivisionError), threads_of_children(3):
        raise ZeroDivisionError
    assert "MKL_NUM_THREADS" not in os.environ
