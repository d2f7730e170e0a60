"""training.ablation, end to end: interrupted by a signal, taken up again, one job failing without stopping the others."""

import csv
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest
from rich.console import Console

from tests.training.ablation.support import write_cohort
from training.__main__ import main
from training.ablation.document import load_ablation
from training.ablation.plan import Plan
from training.ablation.study import INTERRUPTED, run_study
from training.ablation.work import LOG_FILE
from training.config import load_config
from training.files.stamps import cohort_stamp
from training.jobs import Job, run_job

CONFIG = Path(__file__).parents[3] / "training" / "configs" / "practice.toml"
ROWS = ("prevalence", "ich-score", "ehr-lr", "record")
FOLDS = 2


def arguments(cohort: Path, out: Path) -> list[str]:
    options = {
        "--config": CONFIG,
        "--rows": ",".join(ROWS),
        "--folds": FOLDS,
        "--workers": 1,
        "--epochs": 2,
        "--out": out,
    }
    return ["ablation", str(cohort), *(str(part) for pair in options.items() for part in pair)]


def answers(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.rglob("predictions.npz")}


def interrupt_after_the_first_job(command: list[str], out: Path) -> int:
    (hanging := out / Job("record", 1, (1, FOLDS)).folder).mkdir(parents=True)
    os.mkfifo(hanging / LOG_FILE)  # opened without end: however late the signal comes, it comes on the way
    process = subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-m", "training", *command],
        cwd=CONFIG.parents[2],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not answers(out) and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        (hanging / LOG_FILE).unlink()
        return process.wait()
    finally:  # a session of its own ends with no other
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_an_interrupted_ablation_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort, out = write_cohort(tmp_path / "cohort", image=True), tmp_path / "out"
    command = arguments(cohort, out)
    assert interrupt_after_the_first_job(command, out) == INTERRUPTED
    kept = answers(out)
    jobs = FOLDS * len(ROWS)
    assert 0 < len(kept) < jobs - FOLDS, "it was interrupted on the way"
    assert not load_ablation(out).finished

    assert main(command) == 1, "a row that cannot be fitted is told by the exit status"
    assert kept.items() <= answers(out).items(), "what was finished is not done again"
    ablation = load_ablation(out)
    assert ablation.finished
    (table,) = ablation.tables
    rows = {row.name: row for row in table.rows}
    assert tuple(rows) == ROWS
    assert rows["ich-score"].failed == FOLDS, "this cohort has none of the score's items"
    assert rows["ich-score"].metrics == ()
    assert "needs some of" in capsys.readouterr().out
    for name in set(ROWS) - {"ich-score"}:
        metrics = {metric.name: metric for metric in rows[name].metrics}
        assert metrics["auroc"].n == 40, "the folds joined are all patients"
    assert {metric.name: metric.value for metric in rows["ehr-lr"].metrics}["auroc"] > 0.6
    with (out / "table.csv").open(encoding="utf-8") as file:
        assert [row["row"] for row in csv.DictReader(file)] == list(ROWS)
    assert "Logistic regression" in (out / "table.md").read_text(encoding="utf-8")


def test_which_jobs_are_done_is_known_from_one_look_at_the_cohorts_files(tmp_path: Path) -> None:
    """Hundreds of jobs over a hundred thousand slices on a share would take hours before the first begins."""
    cohort, out, config = (
        write_cohort(tmp_path / "cohort", image=False),
        tmp_path / "out",
        load_config(CONFIG),
    )
    plan = Plan(cohort, config, ("prevalence", "ehr-lr"), FOLDS, 1, 1, (), tmp_path / "cache", out)
    for job in plan.jobs:
        run_job(job, cohort, config, plan.cache, out / job.folder, resume=True)
    asked = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal asked
        asked += event == "call" and frame.f_code is cohort_stamp.__code__

    sys.setprofile(count)
    try:
        assert run_study(plan, 1, Console(quiet=True)) == 0
    finally:
        sys.setprofile(None)
    assert asked == 1
    assert load_ablation(out).finished
