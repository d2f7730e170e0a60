"""Turn a trained, evaluated run into a sealed model package.

Examples:
    python -m training export runs/gos --store model_store --version 3
    python -m training export runs/gos --store model_store --version 3 --cohort /archive/cohort
"""

import argparse
from pathlib import Path
from typing import get_args

from app.later import later
from training.commands import package_version
from training.names import Precision

run = later("training.steps.export:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of an evaluated run", metavar="RUN")
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
    )
    parser.add_argument(
        "--version", type=package_version, default=1, help="integer version; never overwritten"
    )
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="float32",
        help="of the arithmetic inside the graph; float16 is for GPUs (default: float32)",
    )
    parser.add_argument(
        "--cohort",
        type=Path,
        metavar="DIR",
        help="folder of the cohort, of which only cohort.json is read (default: the one noted in RUN)",
    )
