"""Turn a trained, evaluated run into a sealed model package.

Example:
    python -m training export runs/gos --store model_store --version 3
"""

import argparse
from pathlib import Path
from typing import get_args

from app.model_package.store import ModelStore
from training.checkpoint import load_checkpoint
from training.commands import positive
from training.export import export_run
from training.onnx_graph import Precision
from training.runs import open_cohort, read_notes


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


def run(options: argparse.Namespace) -> int:
    """Export, re-open, compare, and only then move into the store."""
    checkpoint = load_checkpoint(options.run / "checkpoint.pt")
    cohort = open_cohort(Path(read_notes(options.run)["cohort"]), checkpoint.config)
    store = ModelStore(options.store)
    export_run(checkpoint, cohort.description, options.run, store, options.version, options.precision)
    return 0
