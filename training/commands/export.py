"""Turn a trained, evaluated run into a sealed model package.

Examples:
    python -m training export runs/gos --store model_store --version 3
    python -m training export runs/gos --store model_store --version 3 --cohort /archive/cohort
"""

import argparse
from pathlib import Path
from typing import get_args

from rich.console import Console

from app.model_package.store import ModelStore
from training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from training.cohort import DESCRIPTION_FILE, read_description
from training.commands import positive
from training.export import export_run
from training.onnx_graph import Precision
from training.runs import place_of_cohort


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of an evaluated run", metavar="RUN")
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
    )
    parser.add_argument("--version", type=positive, default=1, help="integer version; never overwritten")
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


def run(options: argparse.Namespace) -> int:
    """Export, re-open, compare, and only then move into the store."""
    checkpoint = load_checkpoint(options.run / CHECKPOINT_FILE)
    description = read_description(place_of_cohort(options.run, options.cohort) / DESCRIPTION_FILE)
    store = ModelStore(options.store)
    package = export_run(checkpoint, description, options.run, store, options.version, options.precision)
    named = f"{package.manifest.name}@{package.manifest.version}"
    Console().print(f"{named}: {package.path}", soft_wrap=True, markup=False, highlight=False)
    return 0
