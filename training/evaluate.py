"""Judgement: calibrate on validation and calibration splits, then measure once on the test split.

Writes into the run's folder: `calibration.json`, `embedding.npz`, `evaluation.json`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from rich.console import Console
from rich.table import Table

from app.inference.calibration import set_members
from training.calibrate import Scaling, conformal_threshold, embedding_distances, fit_scaling
from training.cohort import SPLITS, Cohort
from training.metrics import (
    auroc,
    bootstrap_interval,
    brier,
    calibration_line,
    negative_log_likelihood,
    quadratic_weighted_kappa,
)
from training.networks.heads import class_probabilities
from training.networks.model import FusionNet
from training.networks.serving_graph import ServingGraph
from training.pointing import peaks_in_masks
from training.predict import collect
from training.prepare import PreparedSet
from training.train import Checkpoint

COVERAGE = 0.9
EVENT_FROM = {"gos": 3, "ad": 1}
"""First class index of the reported event: GOS >= 4, or AD."""


@dataclass(frozen=True)
class Rival:
    """Another trained network on the same splits."""

    name: str
    net: FusionNet
    epochs: int


@dataclass(frozen=True)
class Measured:
    """A held-out number with its 95 % bootstrap interval."""

    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CalibrationFit:
    """Everything fitted after training."""

    slope: float
    intercept: float
    conformal_threshold: float
    coverage: float
    n: int


def evaluate_run(
    checkpoint: Checkpoint, cohort: Cohort, parts: dict[str, PreparedSet], rivals: Sequence[Rival], run: Path
) -> list[Measured]:
    """Calibrate and measure one run, and its rivals on the same test patients."""
    task = checkpoint.config.task
    fit = calibrate(checkpoint.net, parts, run, binary=task == "ad")
    (run / "calibration.json").write_text(json.dumps(asdict(fit), indent=2) + "\n", encoding="utf-8")

    test = parts["test"]
    collected = collect(checkpoint.net, test, heatmap=True)
    probabilities = scaled_probabilities(collected.logits, Scaling(fit.slope, fit.intercept))
    measured = outcome_metrics(probabilities, test, fit, task)
    if checkpoint.net.stage_strides and any(test.masks):
        geometry = ServingGraph(checkpoint.net).heatmap_geometry(checkpoint.config.grid.shape)
        hits = peaks_in_masks(collected.heatmap, test, np.array(geometry.to_model_grid))
        measured.append(
            measure("heatmap_peak_in_mask", lambda i: float(hits[i].mean()), np.zeros(len(hits), dtype=int))
        )
    for rival in rivals:
        measured += rival_metrics(rival, parts, probabilities, task)
    defined = [metric for metric in measured if np.isfinite(metric.value)]
    epochs = {rival.name: rival.epochs for rival in rivals} | {"full": checkpoint.config.training.epochs}
    write_evaluation(defined, cohort, epochs, run)
    return defined


def calibrate(net: FusionNet, parts: dict[str, PreparedSet], run: Path, *, binary: bool) -> CalibrationFit:
    """Fit scaling on validation, prediction sets and distances on calibration cases."""
    scaling = fit_split_scaling(net, parts["validation"], binary=binary)
    held = collect(net, parts["calibration"])
    probabilities = scaled_probabilities(held.logits, scaling)
    threshold = conformal_threshold(probabilities, parts["calibration"].labels, COVERAGE)
    fitted = embedding_distances(collect(net, parts["train"]).embedding, held.embedding)
    np.savez(run / "embedding.npz", mean=fitted.mean, precision=fitted.precision, quantiles=fitted.quantiles)
    return CalibrationFit(scaling.slope, scaling.intercept, threshold, COVERAGE, len(parts["calibration"]))


def fit_split_scaling(net: FusionNet, prepared: PreparedSet, *, binary: bool) -> Scaling:
    """Temperature (ordinal) or Platt (binary) on one split."""
    logits = torch.from_numpy(collect(net, prepared).logits)
    return fit_scaling(logits, torch.from_numpy(prepared.labels), with_intercept=binary)


def scaled_probabilities(logits: Float32[np.ndarray, "N L"], scaling: Scaling) -> Float[np.ndarray, "N K"]:
    """Calibrated class probabilities, by the same function the exported graph holds."""
    scaled = torch.from_numpy(logits) * scaling.slope + scaling.intercept
    array: np.ndarray = class_probabilities(scaled).numpy()
    return array


def outcome_metrics(
    probabilities: Float[np.ndarray, "N K"], test: PreparedSet, fit: CalibrationFit, task: str
) -> list[Measured]:
    """Discrimination, calibration and coverage of the calibrated probabilities."""
    first = EVENT_FROM[task]
    event: Bool[np.ndarray, " N"] = test.labels >= first
    p = probabilities[:, first:].sum(axis=1)
    truth = test.true_probability
    sets = prediction_sets(probabilities, fit.conformal_threshold, ordinal=task == "gos")
    covered = sets[np.arange(len(sets)), test.labels]
    numbers: dict[str, Callable[[np.ndarray], float]] = {
        "auroc": lambda i: auroc(p[i], event[i]),
        "brier": lambda i: brier(p[i], event[i]),
        "calibration_slope": lambda i: calibration_line(p[i], event[i])[0],
        "calibration_in_the_large": lambda i: calibration_line(p[i], event[i])[1],
        "nll": lambda i: negative_log_likelihood(probabilities[i], test.labels[i]),
        "set_coverage": lambda i: float(covered[i].mean()),
        "set_size": lambda i: float(sets[i].sum(axis=1).mean()),
    }
    if task == "gos":
        predicted = probabilities.argmax(axis=1)
        classes = probabilities.shape[1]
        numbers["quadratic_weighted_kappa"] = lambda i: quadratic_weighted_kappa(
            predicted[i], test.labels[i], classes
        )
    if not np.isnan(truth).any():
        numbers["auroc_attainable"] = lambda i: auroc(truth[i], event[i])
        numbers["auroc_share_of_attainable"] = lambda i: auroc(p[i], event[i]) / auroc(truth[i], event[i])
    return [measure(name, statistic, event.astype(int)) for name, statistic in numbers.items()]


def rival_metrics(
    rival: Rival, parts: dict[str, PreparedSet], probabilities: Float[np.ndarray, "N K"], task: str
) -> list[Measured]:
    """AUROC of a rival, calibrated alike, and the paired difference to the full model."""
    first = EVENT_FROM[task]
    test = parts["test"]
    event: Bool[np.ndarray, " N"] = test.labels >= first
    scaling = fit_split_scaling(rival.net, parts["validation"], binary=task == "ad")
    theirs = scaled_probabilities(collect(rival.net, test).logits, scaling)[:, first:].sum(axis=1)
    ours = probabilities[:, first:].sum(axis=1)
    strata = event.astype(int)
    return [
        measure(f"auroc_{rival.name}", lambda i: auroc(theirs[i], event[i]), strata),
        measure(
            f"auroc_gain_over_{rival.name}",
            lambda i: auroc(ours[i], event[i]) - auroc(theirs[i], event[i]),
            strata,
        ),
    ]


def prediction_sets(
    probabilities: Float[np.ndarray, "N K"], threshold: float, *, ordinal: bool
) -> Bool[np.ndarray, "N K"]:
    """The sets the service will answer with, by its own function, as a table of booleans."""
    return np.stack([set_members(row, threshold, ordinal=ordinal) for row in probabilities])


def measure(
    name: str, statistic: Callable[[np.ndarray], float], strata: np.ndarray, draws: int = 1000
) -> Measured:
    """Point estimate and stratified bootstrap interval; undefined where the split lacks one of the outcomes."""
    value = float(statistic(np.arange(len(strata))))
    if not np.isfinite(value):
        return Measured(name, np.nan, np.nan, np.nan, len(strata))
    return Measured(name, value, *bootstrap_interval(statistic, strata, seed=0, draws=draws), len(strata))


def write_evaluation(measured: Sequence[Measured], cohort: Cohort, epochs: dict[str, int], run: Path) -> None:
    """Keep the numbers for the model card, with the counts of every split and the epochs every network was given."""
    counts = {split: len(cohort.part(split)) for split in SPLITS}
    tree = {"counts": counts, "epochs": epochs, "metrics": [asdict(metric) for metric in measured]}
    (run / "evaluation.json").write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")


def print_metrics(measured: Sequence[Measured]) -> None:
    """Show the table a person reads."""
    table = Table("metric", "value", "95 % interval", "n")
    for metric in measured:
        table.add_row(
            metric.name, f"{metric.value:.3f}", f"{metric.low:.3f} to {metric.high:.3f}", str(metric.n)
        )
    Console().print(table)
