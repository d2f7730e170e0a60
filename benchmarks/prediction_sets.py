"""Which prediction sets keep their promise: coverage and size of the candidates, over many draws of worlds with known truth.

Or, of trained networks: coverage and size over many random deals of their own calibration and test patients.

Patients and grades come from the phantoms' risk model, without images. A model knows the truth up to noise, and is honest, far too
sure, or wrong about the prevalence; each method is fitted on some hundred cases and judged on fresh ones.

    python -m benchmarks.prediction_sets                       the tables of docs/concepts/uncertainty.md
    python -m benchmarks.prediction_sets runs/gos runs/other   the table of real scores there
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from app.inference.calibration import set_members
from training.evaluate import predictions_of
from training.evaluation.answers import fit_on_validation
from training.evaluation.printing import resplits_table
from training.evaluation.resplits import resplits_of
from training.evaluation.sets import fit_thresholds
from training.phantoms.risk_gos import draw_patients, outcome_probabilities

COVERAGE = 0.9
DRAWS = 200
FRESH = 2000
DEALS = 8000
"""Of a run's patients: the mean of a class with 22 calibration cases is then known to a fifth of a point."""
NOISE = 0.7
GRADES = 5


class World(NamedTuple):
    """What is wrong with a model."""

    sharpness: float = 1.0
    shift: float = 0.0


class Cases(NamedTuple):
    """A model's probabilities [N, K] and the classes [N]."""

    p: np.ndarray
    label: np.ndarray


WORLDS = {"honest": World(), "far too sure": World(sharpness=2.5), "too hopeful": World(shift=1.0)}
Method = Callable[[Cases, np.ndarray, np.random.Generator], np.ndarray]


def draw(n: int, world: World, rng: np.random.Generator, classes: int) -> Cases:
    """Patients as the model sees them: log odds of every cut between grades, with noise, stretched and shifted."""
    truth = outcome_probabilities(draw_patients(n, rng))
    if classes < GRADES:
        truth = np.stack([truth[:, :3].sum(axis=1), truth[:, 3:].sum(axis=1)], axis=1)
    label = (truth.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1)
    beyond = np.clip(1 - truth.cumsum(axis=1)[:, :-1], 1e-6, 1 - 1e-6)
    # Noise in log odds is worth shrinkage: so much makes the undistorted model nearly honest.
    logit = (np.log(beyond / (1 - beyond)) + NOISE * rng.normal(size=(n, 1))) / np.sqrt(1 + 0.35 * NOISE**2)
    seen = 1 / (1 + np.exp(-(world.sharpness * logit + world.shift)))
    return Cases(-np.diff(seen, axis=1, prepend=1.0, append=0.0), label)


def shared_threshold(held: Cases, p: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """One threshold on the probability for all classes, then filled (packages of version 1)."""
    return _sets(p, lowest(own(held.p, held.label)))


def shared_envelope(held: Cases, p: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """The same, with the threshold fitted on what filling lets in."""
    return _sets(p, lowest(own(envelope(held.p), held.label)))


def grown(held: Cases, p: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Intervals grown from the mode by the likelier neighbour up to a mass (ordinal APS)."""
    sets: np.ndarray = most_likely(p) | (-mass(p) >= lowest(-own(mass(held.p), held.label)))
    return sets


def grown_at_random(held: Cases, p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same, with the last class entered at random."""
    scores, fresh = (mass(each) - rng.random((len(each), 1)) * each for each in (held.p, p))
    sets: np.ndarray = most_likely(p) | (-fresh >= lowest(-own(scores, held.label)))
    return sets


def per_class(held: Cases, p: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """A threshold for each class, then filled."""
    thresholds = [lowest(held.p[held.label == k, k]) for k in range(p.shape[1])]
    return _sets(p, np.array(thresholds))


def per_class_as_served(held: Cases, p: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """A threshold for each class, raised until the filled sets cover what was promised (chosen)."""
    return fit_thresholds(held.p, held.label, COVERAGE).members(p)


ORDINAL: dict[str, Method] = {
    "shared threshold, filled (version 1)": shared_threshold,
    "shared threshold of filled sets": shared_envelope,
    "grown intervals": grown,
    "grown intervals, randomised": grown_at_random,
    "threshold per class, filled": per_class,
    "threshold per class of filled sets": per_class_as_served,
}
BINARY = {
    name: ORDINAL[name]
    for name in ("shared threshold, filled (version 1)", "threshold per class of filled sets")
}


def own(values: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Each case's value for its class."""
    picked: np.ndarray = values[np.arange(len(label)), label]
    return picked


def lowest(conformity: np.ndarray) -> float:
    """Value that a new case reaches with the nominal probability."""
    rank = int(np.floor(round((len(conformity) + 1) * (1 - COVERAGE), 9)))
    return float(np.sort(conformity)[rank - 1]) if rank else -np.inf


def envelope(p: np.ndarray) -> np.ndarray:
    """Threshold at which filling lets each class in: the highest probability at or beyond it, seen from the mode."""
    below = np.maximum.accumulate(p, axis=1)
    above = np.maximum.accumulate(p[:, ::-1], axis=1)[:, ::-1]
    return np.where(np.arange(p.shape[1]) <= p.argmax(axis=1)[:, None], below, above)


def mass(p: np.ndarray) -> np.ndarray:
    """Mass of the grown interval when each class enters it."""
    n, classes = p.shape
    padded = np.pad(p, ((0, 0), (1, 1)), constant_values=-1.0)
    low = high = p.argmax(axis=1) + 1
    total, entered, row = np.zeros(n), np.zeros((n, classes + 2)), np.arange(n)
    entering = low
    for _ in range(classes):
        total = total + padded[row, entering]
        entered[row, entering] = total
        down = padded[row, low - 1] >= padded[row, np.minimum(high + 1, classes + 1)]
        entering = np.where(down, low - 1, np.minimum(high + 1, classes + 1))
        low, high = np.where(down, entering, low), np.where(down, high, entering)
    return entered[:, 1:-1]


def most_likely(p: np.ndarray) -> np.ndarray:
    """The mode alone."""
    alone: np.ndarray = np.eye(p.shape[1], dtype=bool)[p.argmax(axis=1)]
    return alone


def _sets(p: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    return set_members(p, threshold, ordinal=p.shape[1] == GRADES)


def measured(
    world: World, calibration: int, methods: dict[str, Method], classes: int
) -> dict[str, np.ndarray]:
    """Mean over draws: coverage of everyone, set size, coverage of each class."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[list[float]]] = {name: [] for name in methods}
    for _ in range(DRAWS):
        held, fresh = (draw(n, world, rng, classes) for n in (calibration, FRESH))
        for name, method in methods.items():
            sets = method(held, fresh.p, rng)
            hit = own(sets, fresh.label)
            each = [hit[fresh.label == k].mean() for k in range(classes)]
            rows[name].append([hit.mean(), sets.sum(axis=1).mean(), *each])
    return {name: np.mean(found, axis=0) for name, found in rows.items()}


def of_run(run: Path, deals: int = DEALS) -> Table | str:
    """Coverage and size over deals of a run's calibration and test patients.

    Args:
        run: Folder of a trained run.
        deals: How many.
    """
    predictions = predictions_of(run)
    titles = [str(k + 1) for k in range(predictions.logits.shape[1] + 1)]
    dealt = resplits_of(predictions, fit_on_validation(predictions), titles, deals)
    return resplits_table(dealt, COVERAGE) if dealt else "nobody calibrates, or nobody is judged"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prediction_sets", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folders of trained runs")
    runs = parser.parse_args().runs
    console = Console(width=140)
    for run in runs:
        console.print(run.name, of_run(run))
    if not runs:
        of_worlds(console)


def of_worlds(console: Console) -> None:
    """Print the tables of the worlds with known truth."""
    for classes, methods in ((GRADES, ORDINAL), (2, BINARY)):
        for calibration in (150, 600):
            for name, world in WORLDS.items():
                table = Table(
                    "method", "all", "size", *map(str, range(1, classes + 1)),
                    title=f"{classes} classes, {calibration} calibration cases, {name}",
                )  # fmt: skip
                for method, row in measured(world, calibration, methods, classes).items():
                    size = f"{row[1]:.2f}"
                    table.add_row(method, f"{row[0]:.1%}", size, *(f"{each:.1%}" for each in row[2:]))
                console.print(table)


if __name__ == "__main__":
    main()
