"""training.files.one_process: two commands in one folder are told; a dead one holds nothing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from tests.training.ablation.support import write_cohort
from training.__main__ import main
from training.ablation.plan import Plan
from training.ablation.study import run_study
from training.cohort import CohortError
from training.config import load_config
from training.files.one_process import alone_in
from training.jobs import Job, run_job

CONFIG = load_config(Path(__file__).parents[3] / "training" / "configs" / "practice.toml")
HOLDER = """
import sys
from pathlib import Path
from training.files.one_process import alone_in
with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process works in the folder."""
    with subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_is_gone_however_it_ended(tmp_path: Path) -> None:
    with held(tmp_path / "run") as process:
        with (
            pytest.raises(CohortError, match="alone in run, found another process at work there"),
            alone_in(tmp_path / "run"),
        ):
            pass
        process.kill()
        process.wait()
        with alone_in(tmp_path / "run"):
            pass


def test_a_run_at_work_is_neither_joined_nor_replaced(tmp_path: Path) -> None:
    cohort, run = write_cohort(tmp_path / "cohort", image=False), tmp_path / "run"
    for resume in (True, False):
        with held(run), pytest.raises(CohortError, match="another process at work"):
            run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, run, resume=resume)
    run_job(Job("prevalence", 1), cohort, CONFIG, tmp_path, run, resume=True)


def test_phantoms_are_not_written_between_those_of_another_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two would write halves of one image under one name, and the later table would name cases of both."""
    counts = ["--train", "1", "--validation", "0", "--calibration", "0", "--test", "0"]
    command = ["phantoms", "--task", "ad", *counts, "--out", str(tmp_path / "cohort")]
    with held(tmp_path / "cohort"):
        assert main(command) == 2
    assert "another process at work" in capsys.readouterr().err
    assert not (tmp_path / "cohort" / "cohort.csv").exists()


def test_an_ablation_at_work_is_not_joined(tmp_path: Path) -> None:
    cohort, out = write_cohort(tmp_path / "cohort", image=False), tmp_path / "out"
    plan = Plan(cohort, CONFIG, ("prevalence",), None, 1, 1, (), tmp_path / "cache", out)
    with held(out), pytest.raises(CohortError, match="another process at work"):
        run_study(plan, 1, Console())
    assert not (out / "ablation.json").exists()
