"""A run's folder: which cohort it was trained on, and how to open both again.

run.json            cohort, cache, row, seed, fold
checkpoint.pt       the best epoch (networks)
history.jsonl       one line per epoch
predictions.npz     what the model answers for every patient of every split (`training.predictions`)
calibration.json, embedding.npz, evaluation.json, report.html   written by later steps
"""

import json
from pathlib import Path

from app.errors import NeuroFuseError
from training.cohort import SPLITS, Cohort, load_cohort
from training.config import RunConfig
from training.prepare import PreparedSet, Target, prepare
from training.splits import split_cohort

RUN_FILE = "run.json"


def open_cohort(folder: Path, config: RunConfig) -> Cohort:
    """The cohort with every patient in a split, checked against the run's task."""
    cohort = load_cohort(folder)
    if cohort.description.task != config.task:
        raise NeuroFuseError(
            f"expected a cohort for task {config.task}, found one for {cohort.description.task}"
        )
    return split_cohort(cohort, config.seed)


def open_run(run: Path, config: RunConfig) -> tuple[Cohort, dict[str, PreparedSet]]:
    """The cohort of a run and all its prepared splits."""
    notes = read_notes(run)
    cohort = open_cohort(Path(notes["cohort"]), config)
    return cohort, {split: prepared_part(cohort, config, split, Path(notes["cache"])) for split in SPLITS}


def prepared_part(cohort: Cohort, config: RunConfig, split: str, cache: Path) -> PreparedSet:
    """One split on the model grid."""
    cases = [case for case in cohort.cases if case.split == split]
    target = Target(config.grid, config.guidance.labels)
    return prepare(cases, cohort.description.ehr, target, cache, config.training.workers)


def write_notes(run: Path, cohort: Path, cache: Path) -> None:
    """Note where a run's patients come from."""
    run.mkdir(parents=True, exist_ok=True)
    notes = {"cohort": str(cohort.resolve()), "cache": str(cache.resolve())}
    (run / RUN_FILE).write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")


def read_notes(run: Path) -> dict[str, str]:
    """What `write_notes` wrote."""
    notes: dict[str, str] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    return notes
