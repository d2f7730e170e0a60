"""Judgement: calibrate on validation and calibration splits, then measure once on the test split.

Writes into the run's folder: `calibration.json`, `embedding.npz`, `evaluation.json`. Networks and tabular rows are judged alike,
by their `predictions.npz`; only what concerns images opens the network again.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.cohort import SPLITS, CohortError, load_cohort
from training.evaluation.bootstrap import Resamples
from training.evaluation.document import Evaluation, save_evaluation
from training.evaluation.fitted import fit_after_training, save_fitted
from training.evaluation.judge import Rival, judge
from training.evaluation.statistics import mean
from training.networks.rows import ROWS, row
from training.networks.serving_graph import ServingGraph
from training.pointing import peaks_in_masks
from training.predict import collect
from training.predictions import PREDICTIONS_FILE, Predictions, load_predictions, save_predictions
from training.runs import RUN_FILE, open_run, read_notes
from training.train import load_checkpoint

CHECKPOINT_FILE = "checkpoint.pt"


def evaluate_run(
    run: Path, rivals: Mapping[str, Sequence[Path]] | None = None, cohort_folder: Path | None = None
) -> Evaluation:
    """Calibrate and measure one run, and its rivals on the same test patients.

    Args:
        run: Folder of a trained run.
        rivals: Folders of other runs by name; several of one name are its seeds.
        cohort_folder: The cohort; by default the one the run was trained on.

    Returns:
        What it wrote to `evaluation.json`.

    Raises:
        CohortError: A split is missing, or the runs are not of one cohort and split.
    """
    predictions = predictions_of(run)
    cohort = load_cohort(cohort_folder or _cohort_folder(run))
    fitted = fit_after_training(predictions)
    save_fitted(fitted, run)
    others = [_rival(name, folders) for name, folders in (rivals or {}).items()]
    evaluation = judge(_row(run), predictions, fitted, cohort, others, _epochs(run))
    if (run / CHECKPOINT_FILE).is_file():
        evaluation = with_images(evaluation, run)
    save_evaluation(evaluation, run)
    return evaluation


def predictions_of(run: Path) -> Predictions:
    """The run's `predictions.npz`, made from its checkpoint first where an older run has none.

    Raises:
        CohortError: The folder holds neither.
    """
    if (run / PREDICTIONS_FILE).is_file():
        return load_predictions(run)
    if not (run / CHECKPOINT_FILE).is_file():
        raise CohortError(
            f"expected {PREDICTIONS_FILE} or {CHECKPOINT_FILE} in the run's folder, found neither; train it first"
        )
    predictions = _predicted(run)
    save_predictions(predictions, run)
    return predictions


def with_images(evaluation: Evaluation, run: Path) -> Evaluation:
    """What needs the images again: whether the served heatmap's peak lies in the guiding mask."""
    checkpoint = load_checkpoint(run / CHECKPOINT_FILE)
    _, parts = open_run(run, checkpoint.config)
    test = parts["test"]
    if not checkpoint.net.stage_strides or not any(test.masks):
        return evaluation
    geometry = ServingGraph(checkpoint.net).heatmap_geometry(checkpoint.config.grid.shape)
    heatmap = collect(checkpoint.net, test, heatmap=True).heatmap
    hits = peaks_in_masks(heatmap, test, np.array(geometry.to_model_grid))
    resamples = Resamples(np.zeros(len(hits), dtype=np.int64))
    pointing = resamples.metrics({"heatmap_peak_in_mask": mean(hits.astype(np.float64))})
    return evaluation.model_copy(update={"metrics": evaluation.metrics + pointing})


def _predicted(run: Path) -> Predictions:
    checkpoint = load_checkpoint(run / CHECKPOINT_FILE)
    cohort, parts = open_run(run, checkpoint.config)
    collected = {split: collect(checkpoint.net, parts[split]) for split in SPLITS if len(parts[split])}

    def joined(columns: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(columns))

    return Predictions(
        patient_id=tuple(case.patient_id for split in collected for case in cohort.part(split)),
        split=tuple(split for split in collected for _ in cohort.part(split)),
        label=joined(parts[split].labels for split in collected),
        logits=joined(each.logits for each in collected.values()),
        embedding=joined(each.embedding for each in collected.values()),
        image_share=joined(each.image_share for each in collected.values()),
        true_probability=joined(parts[split].true_probability for split in collected).astype(np.float64),
    )


def _rival(name: str, folders: Sequence[Path]) -> Rival:
    return Rival(name, tuple(predictions_of(folder) for folder in folders), _epochs(folders[0]))


def _epochs(run: Path) -> int | None:
    """Epochs a network was given; a tabular row has none."""
    path = run / CHECKPOINT_FILE
    return load_checkpoint(path).config.training.epochs if path.is_file() else None


def _row(run: Path) -> str:
    """Row in the model table, from the run's notes or else from its configuration."""
    noted = read_notes(run).get("row") if (run / RUN_FILE).is_file() else None
    if noted or not (run / CHECKPOINT_FILE).is_file():
        return noted or run.name
    model = load_checkpoint(run / CHECKPOINT_FILE).config.model
    return next((name for name in ROWS if row(model, name) == model), run.name)


def _cohort_folder(run: Path) -> Path:
    if not (run / RUN_FILE).is_file():
        raise CohortError(
            f"the run's folder has no {RUN_FILE} to say which cohort it was trained on; give --cohort"
        )
    return Path(read_notes(run)["cohort"])
