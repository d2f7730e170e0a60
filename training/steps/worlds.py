"""`python -m training worlds`: train rows on planted worlds, and print where they land."""

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.worlds.theory import expected_auroc
from training.worlds.trials import Trial, run_trial


def run(options: argparse.Namespace) -> int:
    """Run every trial and print a table of means, with the lowest and the highest of the seeds."""
    torch.set_num_threads(1)  # maps this small cost more to share than to compute
    wanted = [
        (world, name, seed)
        for world in options.worlds
        for name in options.rows
        for seed in range(options.seeds)
    ]
    trials = [
        run_trial(world, name, seed, options.epochs, options.spatial)
        for world, name, seed in track(wanted, description="planted worlds")
    ]
    Console(width=100).print(results_table(trials))
    return 0


def results_table(trials: Sequence[Trial]) -> Table:
    """One line per world and row."""
    table = Table(
        "world", "row", "AUROC, theory", "AUROC", "attention in the named blob", "effect follows the record"
    )
    for world, name in dict.fromkeys((trial.world, trial.row) for trial in trials):
        some = [trial for trial in trials if (trial.world, trial.row) == (world, name)]
        measured = [
            _over_seeds([getattr(one, part) for one in some]) for part in ("auroc", "pointing", "effect")
        ]
        table.add_row(world, name, f"{expected_auroc(world, name):.3f}", *measured)
    return table


def _over_seeds(values: Sequence[float]) -> str:
    if np.isnan(values).any():
        return "-"
    return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"
