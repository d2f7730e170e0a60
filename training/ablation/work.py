"""What one process of an ablation does: a single job, with all it prints in the job's own log."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from app.errors import NeuroFuseError
from training.ablation.plan import Plan
from training.jobs import Job, run_job

LOG_FILE = "log.txt"


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        reason: Why it failed; empty where it did not.
        seconds: It took.
    """

    reason: str
    seconds: float


def work(job: Job, plan: Plan, threads: int) -> Outcome:
    """Run a job, this process's only one.

    Args:
        job: To do.
        plan: Where cohort, configuration and folders are.
        threads: CPU threads to use.
    """
    end_with_parent()
    run = plan.out / job.folder
    run.mkdir(parents=True, exist_ok=True)
    _print_into(run / LOG_FILE)
    started = time.monotonic()
    torch.set_num_threads(threads)
    config = replace(plan.config, training=replace(plan.config.training, threads=threads, workers=1))
    reason = ""
    try:
        run_job(job, plan.cohort, config, plan.cache, run, resume=True)
    except NeuroFuseError as error:
        reason = error.detail
        sys.stderr.write(f"{error.code}: {error.detail}\n")
    except Exception as error:  # noqa: BLE001 - one failed job must not stop the others; the log has the trace
        reason = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    return Outcome(reason, time.monotonic() - started)


def end_with_parent() -> None:
    """Let this process end where the ablation is killed: the next one must not find it at work on the same files."""
    if parent := multiprocessing.parent_process():

        def follow() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=follow, daemon=True).start()


def last_lines(run: Path, count: int = 12) -> str:
    """The end of a job's log."""
    path = run / LOG_FILE
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return "\n".join(lines[-count:])


def _print_into(log: Path) -> None:
    """Send everything, also what C libraries print, into a file; what earlier attempts said is kept."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
