"""Write a phantom cohort: synthetic images and records whose risk is known.

Examples:
    python -m training phantoms --task gos --out runs/cohort-gos --workers 2
    python -m training phantoms --task gos --slices 3 --out runs/cohort-slices
"""

import argparse
from pathlib import Path

from app.later import later
from training.commands import at_least, positive

run = later("training.steps.phantoms:run")

DEFAULT_COUNTS = {"train": 2200, "validation": 300, "calibration": 300, "test": 600}
SLICES_COUNTS = {"train": 118, "validation": 24, "calibration": 25, "test": 29}
"""196 patients, as in the smallest published cohorts of this kind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--task", choices=("gos", "ad"), required=True, help="which risk world")
    for split, count in DEFAULT_COUNTS.items():
        parser.add_argument(
            f"--{split}",
            type=at_least(0),
            metavar="N",
            help=f"cases for {split} ({count}; {SLICES_COUNTS[split]} with --slices)",
        )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the cohort; finished cases in it are kept"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="equal seeds give equal cohorts (0)")
    parser.add_argument(
        "--slices",
        type=at_least(2),  # one slice is one image column, which means a volume
        default=0,
        metavar="N",
        help="keep only N axial slices of each patient with their masks, six features, and an outcome in two classes",
    )
    parser.add_argument("--workers", type=positive, default=1, help="processes (1)")
    parser.add_argument(
        "--dicom-share", type=_share, default=0.0, help="share of images written as DICOM series (0)"
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a share between 0 and 1, got {value}")
    return value
