"""One job: one row, fitted once. `train` runs one; `ablation` runs many, each in a process of its own."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.imaging.model_grid import PREPROCESSING_VERSION
from training.ablation.folds import smaller, with_fold
from training.checkpoint import CHECKPOINT_FILE
from training.cohort import Cohort
from training.config import RunConfig, config_to_dict
from training.distributed import first_process_first, rank
from training.environment import ENVIRONMENT_FILE
from training.journal import HISTORY_FILE
from training.predictions import PREDICTIONS_FILE
from training.resume import STATE_FILE
from training.rows import Fitted, fit_row
from training.runs import RUN_FILE, open_cohort, read_notes, write_notes

_SPEED = {"threads", "workers", "loader_workers", "compile"}
"""Settings that change the time a result takes, not the result."""
Fold = tuple[int, int]
"""(i, k): part i, counted from 1, of k is the test split."""


@dataclass(frozen=True)
class Job:
    """What tells one fit from another.

    Attributes:
        row: Row of the model table.
        seed: Of initialisation, order and augmentation; patients are split by the configuration's seed.
        fold: Part of a cross-validation; None keeps the cohort's own splits.
        repeat: Which division into folds, counted from 1.
        size: Training patients; None for all.
    """

    row: str
    seed: int
    fold: Fold | None = None
    repeat: int = 1
    size: int | None = None

    @property
    def folder(self) -> Path:
        """Of its files, below the ablation's."""
        parts = [f"n{self.size}"] if self.size else []
        parts += [f"repeat{self.repeat}-fold{self.fold[0]}of{self.fold[1]}"] if self.fold else []
        return Path(self.row, "-".join([*parts, f"seed{self.seed}"]))


def cohort_of(job: Job, folder: Path, config: RunConfig) -> Cohort:
    """The job's patients, each in a split.

    Args:
        job: Its fold and size.
        folder: Of the cohort.
        config: Its seed decides the splits, so that all seeds of an ablation have the same patients.
    """
    cohort = open_cohort(folder, config)
    if job.fold:
        # One seed per repeat, far apart, since the folds of a repeat use the seeds that follow it.
        cohort = with_fold(cohort, job.fold, config.seed + 1000 * (job.repeat - 1))
    return smaller(cohort, job.size, config.seed) if job.size else cohort


def run_job(job: Job, cohort: Path, config: RunConfig, cache: Path, run: Path, *, resume: bool) -> None:
    """Fit, and leave `predictions.npz` and `run.json` in the run's folder.

    Args:
        job: What to fit.
        cohort: Folder.
        config: Of the full model.
        cache: Prepared images.
        run: Folder of the run.
        resume: Keep what a finished run of the same digest left, and go on with one that was cut off.
    """
    digest = job_digest(job, cohort, config)
    if resume and is_finished(run, digest):
        return
    if rank() == 0 and not (resume and _noted_digest(run) == digest):
        _forget(run)
    about = {key: str(value) for key, value in asdict(job).items() if value is not None}
    about |= {"digest": digest, "fold": "/".join(map(str, job.fold or ()))}
    with first_process_first():
        write_notes(run, cohort, cache, about)
    people = cohort_of(job, cohort, config)
    fitted: Fitted = fit_row(job.row, people, replace(config, seed=job.seed), cache, run)
    about |= {"note": fitted.note, "parameters": "" if fitted.parameters is None else str(fitted.parameters)}
    if rank() == 0:
        write_notes(run, cohort, cache, about)


def is_finished(run: Path, digest: str) -> bool:
    """Whether a run's folder holds the answers of exactly this job."""
    return (run / PREDICTIONS_FILE).is_file() and _noted_digest(run) == digest


def job_digest(job: Job, cohort: Path, config: RunConfig) -> str:
    """Changes when anything does that a result depends on: job, configuration, the cohort's files, preprocessing.

    Threads, worker processes and compilation are left out.
    """
    tree = config_to_dict(config)
    tree["training"] = {key: value for key, value in tree["training"].items() if key not in _SPEED}
    key = json.dumps(
        [asdict(job), tree, cohort_stamp(cohort), PREPROCESSING_VERSION], sort_keys=True, default=str
    )
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def cohort_stamp(cohort: Path) -> str:
    """Digest of a cohort's table and description; images are stamped one by one where they are prepared."""
    files = [cohort / "cohort.csv", cohort / "cohort.json"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


def _noted_digest(run: Path) -> str | None:
    return read_notes(run).get("digest") if (run / RUN_FILE).is_file() else None


def _forget(run: Path) -> None:
    """Remove what another job left, so that nothing of it can be taken for this one's."""
    for name in (
        PREDICTIONS_FILE,
        CHECKPOINT_FILE,
        STATE_FILE,
        HISTORY_FILE,
        "evaluation.json",
        "calibration.json",
        ENVIRONMENT_FILE,
    ):
        (run / name).unlink(missing_ok=True)
