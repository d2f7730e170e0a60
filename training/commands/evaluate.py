"""Calibrate a trained run and judge it once on the held-out patients.

Example:
    python -m training evaluate runs/gos --rival image=runs/gos-image --rival record=runs/gos-record
"""

import argparse
from pathlib import Path

from training.evaluate import Rival, evaluate_run, print_metrics
from training.runs import open_run
from training.train import load_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of a trained run", metavar="RUN")
    parser.add_argument(
        "--rival", action="append", default=[], metavar="NAME=RUN", help="run to compare with; repeatable"
    )


def run(options: argparse.Namespace) -> int:
    """Write evaluation.json, calibration.json and embedding.npz into the run's folder."""
    checkpoint = load_checkpoint(options.run / "checkpoint.pt")
    cohort, parts = open_run(options.run, checkpoint.config)
    rivals = [_rival(*text.partition("=")[::2]) for text in options.rival]
    print_metrics(evaluate_run(checkpoint, cohort, parts, rivals, options.run))
    return 0


def _rival(name: str, folder: str) -> Rival:
    checkpoint = load_checkpoint(Path(folder) / "checkpoint.pt")
    return Rival(name, checkpoint.net, checkpoint.config.training.epochs)
