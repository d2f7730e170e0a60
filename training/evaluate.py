"""Judgement: calibrate on validation and calibration splits, then measure once on the test split.

Writes into the run's folder: `calibration.json`, `embedding.npz`, `evaluation.json`, and of a network `training_summary.json`. Networks and tabular rows are judged alike,
by their `predictions.npz`; only what concerns images opens the network again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from training.cohort import Cohort, CohortError, load_cohort
from training.evaluation.budget import Budget
from training.evaluation.document import Evaluation, save_evaluation
from training.evaluation.fitted import fit_after_training, save_fitted
from training.evaluation.images import with_images
from training.evaluation.judge import MODEL, Rival, judge
from training.networks.config import CLASSES
from training.networks.model import FusionNet
from training.networks.rows import ROWS, row
from training.outcomes import as_classes_of
from training.packaging.summary import save_training_summary
from training.predict import answered
from training.predictions import PREDICTIONS_FILE, Predictions, load_predictions, save_predictions
from training.runs import (
    RECORDS_NOTE,
    RUN_FILE,
    open_run,
    place_of_cohort,
    read_notes,
    records_digest,
)
from training.splits.saved import SPLITS_FILE, load_splits

NAMES_TAKEN = frozenset({MODEL, "all", "none"})
"""In the document these are the judged model, and acting on all and on none; a rival of that name would stand in their place."""


def evaluate_run(
    run: Path,
    rivals: Mapping[str, Sequence[Path]],
    cohort_folder: Path | None,
    budget: Budget | None,
    second: Path | None,
    cache: Path | None,
) -> Evaluation:
    """Calibrate and measure one run, and its rivals on the same test patients.

    Args:
        run: Folder of a trained run.
        rivals: Folders of other runs by name; several of one name are its seeds.
        cohort_folder: The cohort; None for the one the run was trained on.
        budget: Most cases of each check of the maps and of robustness; None leaves these checks out.
        second: Folder of a run that differs in its seed alone; tells how far the maps depend on chance.
        cache: Folder of prepared images (`open_run`).

    Returns:
        What it wrote to `evaluation.json`.

    Raises:
        CohortError: A split is missing, the runs are not of one cohort and split, an outcome or a record has changed since one of them was trained, a rival's name is taken, or the
            second run differs in more than its seed or has no check to serve.
    """
    if second and budget is None:
        raise CohortError(
            "a second run is there to compare its maps with, and the checks of maps are left out; leave --second out, or give "
            "--image-cases more than 0"
        )
    if taken := sorted(NAMES_TAKEN & set(rivals)):
        raise CohortError(
            f"the name of a rival is taken: {', '.join(taken)}; expected none of {', '.join(sorted(NAMES_TAKEN))}"
        )
    again = _second(second, run) if second else None
    predictions = predictions_of(run)
    cohort = load_cohort(place_of_cohort(run, cohort_folder))
    _refuse_other_outcomes(run, predictions, cohort)
    _refuse_other_records(run, predictions, cohort)
    fitted = fit_after_training(predictions)
    others = [_rival(name, folders, cohort) for name, folders in rivals.items()]
    evaluation = judge(_row(run), predictions, fitted, cohort, others, _epochs(run))
    if (run / SPLITS_FILE).is_file():
        evaluation = evaluation.model_copy(update={"split": load_splits(run / SPLITS_FILE).how})
    if (run / CHECKPOINT_FILE).is_file():
        opened = open_run(run, load_checkpoint(run / CHECKPOINT_FILE), cohort_folder, cache)
        evaluation = with_images(evaluation, run, opened, fitted, budget, again)
        save_training_summary(run, opened, predictions, fitted)
    # At the end, one after the other: an evaluation that is cut off leaves the scaling of an earlier one beside the numbers of that one.
    save_fitted(fitted, run)
    save_evaluation(evaluation, run)
    return evaluation


def predictions_of(run: Path) -> Predictions:
    """The run's `predictions.npz`, made from its checkpoint first where an older run has none.

    Raises:
        CohortError: The folder holds neither, or a run that was cut off.
    """
    if (run / PREDICTIONS_FILE).is_file():
        return load_predictions(run)
    if (run / RUN_FILE).is_file() and read_notes(run).get("digest"):
        # Written for it, they would also be taken for the mark that training has ended, and it would never go on.
        raise CohortError(
            f"expected a run that has ended, found one without {PREDICTIONS_FILE}, as of a training that was cut off or is still at work; give its "
            "train command again, which goes on from there"
        )
    if not (run / CHECKPOINT_FILE).is_file():
        raise CohortError(
            f"expected {PREDICTIONS_FILE} or {CHECKPOINT_FILE} in the run's folder, found neither; train it first"
        )
    predictions = _predicted(run)
    save_predictions(predictions, run)
    return predictions


def _refuse_other_outcomes(run: Path, predictions: Predictions, cohort: Cohort) -> None:
    """The run remembers outcomes; corrected ones would pass unnoticed, and the old ones be judged by.

    Raises:
        CohortError: A patient has another outcome now.
    """
    classes = predictions.logits.shape[1] + 1
    outcome = next(each for each, count in CLASSES.items() if count == classes)
    now = {case.patient_id: case.label for case in as_classes_of(cohort, outcome).cases}
    then = zip(predictions.patient_id, predictions.label.tolist(), strict=True)
    if changed := sum(now.get(patient, label) != label for patient, label in then):
        raise CohortError(
            f"{run.resolve().name}: expected the outcomes that the run was trained with, found others of {changed} of {len(predictions)} patients in the cohort; train it "
            "anew (train --no-resume), or give the cohort that it was trained on"
        )


def _refuse_other_records(run: Path, predictions: Predictions, cohort: Cohort) -> None:
    """The run remembers what it answered to the records of its day; subgroups and checks of robustness would be of others.

    Raises:
        CohortError: A patient has another record now.
    """
    noted = read_notes(run).get(RECORDS_NOTE) if (run / RUN_FILE).is_file() else None
    patients = set(predictions.patient_id)
    there = [case for case in cohort.cases if case.patient_id in patients]
    if noted and records_digest(there) != noted:
        found = (
            f"{len(patients) - len(there)} of its {len(patients)} patients no longer in the cohort"
            if len(there) < len(patients)
            else "others in the cohort, or another list of features"
        )
        raise CohortError(
            f"{run.resolve().name}: expected the records that the run was trained with, found {found}; train it anew (train --no-resume), or give the "
            "cohort that it was trained on"
        )


def _predicted(run: Path) -> Predictions:
    opened = open_run(run, load_checkpoint(run / CHECKPOINT_FILE))
    return answered(opened.checkpoint.net, opened.cohort, opened.parts)


def _second(second: Path, run: Path) -> FusionNet:
    """The network of another seed.

    Raises:
        CohortError: One of the runs is no network, or more than the seed differs.
    """
    if not all((folder / CHECKPOINT_FILE).is_file() for folder in (run, second)):
        raise CohortError(
            f"expected two networks' runs with a {CHECKPOINT_FILE}, found none in one of them; leave --second out"
        )
    own, other = (load_checkpoint(folder / CHECKPOINT_FILE) for folder in (run, second))
    if replace(other.config, seed=own.config.seed) != own.config or other.features != own.features:
        raise CohortError(
            "expected a second run that differs in its seed alone, found another configuration or record; train it with the same "
            "configuration and --seed"
        )
    return other.net


def _rival(name: str, folders: Sequence[Path], cohort: Cohort) -> Rival:
    models = tuple(predictions_of(folder) for folder in folders)
    for folder, model in zip(folders, models, strict=True):
        # Its answers are to the table of its day; a gain over it would be that of the correction.
        _refuse_other_outcomes(folder, model, cohort)
        _refuse_other_records(folder, model, _own_cohort(folder, cohort))
    return Rival(name, models, _epochs(folders[0]))


def _own_cohort(run: Path, cohort: Cohort) -> Cohort:
    """What a rival was trained on: another folder may describe more, or less, of the same patients, as to see what that adds."""
    noted = read_notes(run).get("cohort") if (run / RUN_FILE).is_file() else None
    is_another = noted and Path(noted).is_dir() and not Path(noted).samefile(cohort.root)
    return load_cohort(Path(noted)) if noted and is_another else cohort


def _epochs(run: Path) -> int | None:
    """Epochs a network was given; a tabular row has none."""
    path = run / CHECKPOINT_FILE
    if not path.is_file():
        return None
    patients = sum(split == "train" for split in predictions_of(run).split)
    return load_checkpoint(path).config.training.most_epochs(patients)


def _row(run: Path) -> str:
    """Row in the model table, from the run's notes or else from its configuration."""
    noted = read_notes(run).get("row") if (run / RUN_FILE).is_file() else None
    if noted or not (run / CHECKPOINT_FILE).is_file():
        return noted or run.name
    model = load_checkpoint(run / CHECKPOINT_FILE).config.model
    return next((name for name in ROWS if row(model, name) == model), run.name)
