"""One job: one row, fitted once. `train` runs one; `ablation` runs many, each in a process of its own."""

import datetime as dt
import hashlib
import json
import zipfile
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.imaging.model_grid import PREPROCESSING_VERSION
from training.checkpoint import CHECKPOINT_FILE
from training.cohort import Cohort, CohortError
from training.config import RunConfig, config_to_dict
from training.environment import ENVIRONMENT_FILE
from training.files.one_process import alone_in
from training.files.stamps import cohort_stamp
from training.learning.distributed import first_process_first, rank, wait
from training.learning.journal import HISTORY_FILE
from training.learning.resume import STATE_FILE
from training.networks.pretrained import weights_digest
from training.predictions import PREDICTIONS_FILE
from training.rows import Fitted, fit_row
from training.runs import RECORDS_NOTE, RUN_FILE, open_cohort, read_notes, records_digest, write_notes
from training.splits.folds import FOLDS_VERSION, smaller, with_fold
from training.splits.held_out import leave_site_out, split_by_date
from training.splits.saved import SPLITS_FILE, save_splits, with_saved_splits

_SPEED = {"threads", "workers", "loader_workers", "compile"}
"""Settings that change the time a result takes, not the result."""
_FILES = (
    PREDICTIONS_FILE,
    SPLITS_FILE,
    CHECKPOINT_FILE,
    STATE_FILE,
    HISTORY_FILE,
    "evaluation.json",
    "calibration.json",
    "embedding.npz",
    "training_summary.json",
    "report.html",
    ENVIRONMENT_FILE,
)
"""What a run, and what is found of it, leave in its folder."""
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
        leave_site: Site whose patients are the test split.
        test_from: Day from which on patients are the test split.
        splits: File that puts every patient in a split.
    """

    row: str
    seed: int
    fold: Fold | None = None
    repeat: int = 1
    size: int | None = None
    leave_site: str | None = None
    test_from: dt.date | None = None
    splits: Path | None = None

    @property
    def folder(self) -> Path:
        """Of its files, below the ablation's."""
        parts = [f"n{self.size}"] if self.size else []
        parts += [f"repeat{self.repeat}-fold{self.fold[0]}of{self.fold[1]}"] if self.fold else []
        return Path(self.row, "-".join([*parts, f"seed{self.seed}"]))

    @property
    def how_split(self) -> str:
        """Where its patients stand, in words."""
        if self.fold:
            return f"fold {self.fold[0]} of {self.fold[1]}, repeat {self.repeat}"
        if self.leave_site:
            return f"test on site {self.leave_site}"
        if self.test_from:
            return f"test from {self.test_from}"
        if self.splits:
            return "as a file says"
        return (
            "as the table says where it names one, the others at random, evenly by outcome, sex, age and site"
        )


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
    elif job.leave_site:
        cohort = leave_site_out(cohort, job.leave_site, config.seed)
    elif job.test_from:
        cohort = split_by_date(cohort, job.test_from, config.seed)
    elif job.splits:
        cohort = with_saved_splits(cohort, job.splits)
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

    Raises:
        CohortError: Another process works in the run's folder, or the row cannot be fitted on this cohort.
    """
    digest = job_digest(job, cohort, config)
    if resume and is_finished(run, digest):
        return
    with alone_in(run) if rank() == 0 else nullcontext():
        _fit(job, digest, cohort, config, cache, run, resume=resume)


def _fit(  # noqa: PLR0913 - a job, its digest, and `run_job`'s folders
    job: Job, digest: str, cohort: Path, config: RunConfig, cache: Path, run: Path, *, resume: bool
) -> None:
    # Before anything is removed: the file that says the splits may be this folder's own.
    people = cohort_of(job, cohort, config)
    wait()
    if rank() == 0 and not (resume and _noted_digest(run) == digest):
        _forget(run)
    about = {key: str(value) for key, value in asdict(job).items() if value is not None}
    about |= {"digest": digest, "fold": "/".join(map(str, job.fold or ()))}
    with first_process_first():
        if rank() == 0:
            write_notes(run, cohort, cache, about)
    about[RECORDS_NOTE] = records_digest(people.cases)
    if rank() == 0:
        save_splits(people, job.how_split, config.seed, run)
    fitted: Fitted = fit_row(job.row, people, replace(config, seed=job.seed), cache, run)
    about |= {"note": fitted.note, "parameters": "" if fitted.parameters is None else str(fitted.parameters)}
    if rank() == 0:
        write_notes(run, cohort, cache, about)


def is_finished(run: Path, digest: str) -> bool:
    """Whether a run's folder holds the answers of exactly this job, whole: a power cut may leave a name without its content."""
    answers = run / PREDICTIONS_FILE
    return answers.is_file() and zipfile.is_zipfile(answers) and _noted_digest(run) == digest


def refuse_another_run(job: Job, cohort: Path, config: RunConfig, run: Path) -> None:
    """Keep a mistyped folder from costing a run; one that came to nothing, such as by a wrong configuration, may be replaced.

    Raises:
        CohortError: The folder holds a run that differs from this one in anything a result depends on, or files that may be of anything.
    """
    kept = [name for name in _FILES if (run / name).exists()]
    if kept and not (run / RUN_FILE).is_file():
        raise CohortError(
            f"expected an empty folder or this very run in {run.name}, found no {RUN_FILE} and files of the names that are written there "
            f"({', '.join(kept)}); choose another --out, or replace them with --no-resume"
        )
    if not {PREDICTIONS_FILE, CHECKPOINT_FILE, STATE_FILE} & set(kept):
        return
    if _noted_digest(run) == job_digest(job, cohort, config):
        return
    found = read_notes(run)
    raise CohortError(
        f"expected an empty folder or this very run in {run.name}, found another one (row {found.get('row', 'unknown')}, seed "
        f"{found.get('seed', 'unknown')}), or the configuration or the cohort has changed since; choose another --out, or replace it "
        "with --no-resume"
    )


def job_digest(job: Job, cohort: Path, config: RunConfig, stamp: str | None = None) -> str:
    """Changes when anything does that a result depends on: job, configuration, the cohort's files, pretrained weights, preprocessing.

    Threads, worker processes and compilation are left out.

    Args:
        job: What is fitted.
        cohort: Its folder.
        config: Of the full model.
        stamp: `cohort_stamp` of the folder, where it is known: it asks the disk for every file, of which a cohort of series has 100,000.
    """
    tree = config_to_dict(config)
    tree["training"] = {key: value for key, value in tree["training"].items() if key not in _SPEED}
    if weights := config.model.backbone.weights:
        tree["weights_sha256"] = weights_digest(Path(weights))
    key = json.dumps(
        [_described(job), tree, stamp or cohort_stamp(cohort), PREPROCESSING_VERSION],
        sort_keys=True,
        default=str,
    )
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _described(job: Job) -> dict[str, object]:
    """All that tells it apart."""
    described: dict[str, object] = asdict(job)
    if job.fold or job.size:
        described["folds_version"] = FOLDS_VERSION
    if job.splits and job.splits.is_file():
        described["splits"] = hashlib.sha256(job.splits.read_bytes()).hexdigest()
    return described


def _noted_digest(run: Path) -> str | None:
    try:
        return read_notes(run).get("digest")
    except CohortError:  # none, or a damaged one
        return None


def _forget(run: Path) -> None:
    """Remove what another job left, so that nothing of it can be taken for this one's."""
    for name in _FILES:
        (run / name).unlink(missing_ok=True)
