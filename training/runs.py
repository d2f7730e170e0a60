"""A run's folder: which cohort it was trained on, and how to open both again.

run.json            cohort, cache, and what was fitted: row, seed, fold, ...
splits.json         who stood in which split (`training.splits.saved`)
checkpoint.pt       the best epoch (networks)
history.jsonl       one line per epoch
environment.json    versions and machine
lock                held while a process works here (`training.files.one_process`)
predictions.npz     what the model answers for every patient of every split (`training.predictions`)
calibration.json, embedding.npz, evaluation.json, training_summary.json, report.html   written by later steps
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from training.checkpoint import Checkpoint
from training.cohort import SPLITS, Case, Cohort, CohortError, Split, load_cohort
from training.config import RunConfig, unknown_log1p
from training.environment import write_environment
from training.files.whole_files import write_whole
from training.outcomes import as_classes_of
from training.predictions import PREDICTIONS_FILE, load_predictions
from training.prepare import PreparedSet, Target, prepare
from training.splits import split_cohort
from training.splits.saved import SPLITS_FILE, load_splits

RUN_FILE = "run.json"
RECORDS_NOTE = "records_sha256"
"""In `run.json`: `records_digest` of the run's patients; runs of older releases have none."""


def open_cohort(folder: Path, config: RunConfig) -> Cohort:
    """The cohort with every patient in a split and labels as the run's head counts classes, checked against task, modality and record."""
    cohort = load_cohort(folder)
    if cohort.description.task != config.task:
        raise CohortError(
            f"the configuration is for the task {config.task}, the cohort for {cohort.description.task}; choose a configuration of this task"
        )
    if cohort.description.modality != config.grid.modality:
        # Many NIfTI files do not say what they are, and would be read as whatever is wanted.
        raise CohortError(
            f"the configuration wants {config.grid.modality} and the cohort has {cohort.description.modality}; choose a configuration "
            "for this modality, or correct cohort.json"
        )
    if unknown := unknown_log1p(config, cohort.description):
        raise CohortError(
            f"configuration: model.ehr.log1p: expected numeric features of cohort.json, found {unknown}; correct the names"
        )
    return as_classes_of(split_cohort(cohort, config.seed), config.model.head.outcome)


@dataclass(frozen=True)
class Opened:
    """A network's run, with all that it was trained and is judged on.

    Attributes:
        checkpoint: The network.
        cohort: Each patient where the run had them.
        parts: Prepared, by split, of those that have patients.
    """

    checkpoint: Checkpoint
    cohort: Cohort
    parts: dict[Split, PreparedSet]


def open_run(
    run: Path, checkpoint: Checkpoint, folder: Path | None = None, cache: Path | None = None
) -> Opened:
    """A network's run with its cohort and all its prepared splits, each patient where the run had them.

    Args:
        run: Its folder.
        checkpoint: Its network.
        folder: Of the cohort, where it has been moved since; its prepared images are then kept there, unless `cache` says where.
        cache: Folder of prepared images; by default the one noted in the run.

    Raises:
        CohortError: The cohort is not there, cannot be read, or has another record than was trained.
    """
    config = checkpoint.config
    cohort = split_as_in(run, open_cohort(place_of_cohort(run, folder), config))
    checkpoint.require_record_of(cohort.description)
    cache = cache or (folder / "prepared" if folder else Path(read_notes(run)["cache"]))
    return Opened(checkpoint, cohort, prepared_parts(cohort, config, cache))


def place_of_cohort(run: Path, folder: Path | None = None) -> Path:
    """Where a run's cohort is.

    Args:
        run: The run's folder.
        folder: Of the cohort, where somebody knows better; else the one noted in the run.

    Raises:
        CohortError: It is not there, or nothing is noted.
    """
    if not folder and not (run / RUN_FILE).is_file():
        raise CohortError(
            f"the run's folder has no {RUN_FILE} to say which cohort it was trained on; give the folder that `train --out` named, or the "
            "cohort's with --cohort"
        )
    found = folder or Path(read_notes(run)["cohort"])
    if not found.is_dir():
        raise CohortError(
            "expected the cohort in the folder that --cohort names, found no such folder; correct it"
            if folder
            else f"expected the cohort where {RUN_FILE} says it was in training, found no such folder; name the folder it is in now with --cohort"
        )
    return found


def split_as_in(run: Path, cohort: Cohort) -> Cohort:
    """The run's patients in the splits that they had: a fold and a smaller training set are remembered with the run."""
    if (run / PREDICTIONS_FILE).is_file():
        predictions = load_predictions(run)
        stood = dict(zip(predictions.patient_id, predictions.split, strict=True))
    elif (run / SPLITS_FILE).is_file():
        stood = {id_: split for split, ids in load_splits(run / SPLITS_FILE).splits.items() for id_ in ids}
    else:
        return cohort
    cases = tuple(
        replace(case, split=stood[case.patient_id]) for case in cohort.cases if case.patient_id in stood
    )
    return replace(cohort, cases=cases)


def prepared_part(cohort: Cohort, config: RunConfig, split: Split, cache: Path) -> PreparedSet:
    """One split on the model grid."""
    target = Target(config.grid, config.guidance.labels)
    return prepare(cohort.part(split), cohort.description.ehr, target, cache, config.training.workers)


def prepared_parts(cohort: Cohort, config: RunConfig, cache: Path) -> dict[Split, PreparedSet]:
    """Every split that has patients."""
    return {split: prepared_part(cohort, config, split, cache) for split in SPLITS if cohort.part(split)}


def write_notes(run: Path, cohort: Path, cache: Path, about: Mapping[str, str] | None = None) -> None:
    """Note where a run's patients come from, and what was fitted to them (row, seed, fold, ...)."""
    run.mkdir(parents=True, exist_ok=True)
    notes = {"cohort": str(cohort.resolve()), "cache": str(cache.resolve()), **(about or {})}
    # Replaced whole: on a full disk an empty file would be left, and the folder taken for that of another run.
    write_whole(run / RUN_FILE, json.dumps(notes, indent=2) + "\n")
    write_environment(run)


def records_digest(cases: Iterable[Case]) -> str:
    """Changes when any patient's record does; whatever the order of patients and columns."""
    records = {case.patient_id: case.record for case in cases}
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


def read_notes(run: Path) -> dict[str, str]:
    """What `write_notes` wrote.

    Raises:
        CohortError: There is no such file, or it cannot be read.
    """
    try:
        notes: dict[str, str] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CohortError(
            f"expected {RUN_FILE} in the run's folder, found none; give the folder that `train --out` named"
        ) from None
    except ValueError:
        raise CohortError(
            f"expected JSON in {RUN_FILE} of the run's folder, found none; train it anew with --no-resume"
        ) from None
    return notes
