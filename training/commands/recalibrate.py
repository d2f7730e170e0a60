"""Fit a package's probabilities and prediction sets to another cohort, and publish it as a new version. Nothing is trained.

About a third of the patients fit slope and intercept of the logits, a third the sets, and the last third judges old and new version. A table that
names its splits (validation, calibration, test) is dealt as it says. Who fitted and who judged is written to gos-3/splits.json below --out; patients whom `validate --out`
has asked in the same folder are not asked again.

Example:
    python -m training recalibrate model_store/gos/2 /data/our-cohort --version 3 --out runs/gos-here
"""

import argparse
from pathlib import Path

from app.later import later
from training.commands import package_version, positive

run = later("training.steps.recalibrate:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "package", type=Path, help="folder of a package, such as model_store/gos/2", metavar="PACKAGE"
    )
    parser.add_argument("cohort", type=Path, help="folder of a cohort, as for training", metavar="COHORT")
    parser.add_argument(
        "--version", type=package_version, required=True, help="of the new package; never overwritten"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the answers and for who fitted and who judged",
    )
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
    )
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes that read images (default: 1, this one)"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides who fits and who judges (default: 1)")
