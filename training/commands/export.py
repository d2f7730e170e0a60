"""Turn a trained, evaluated run into a sealed model package.

Example:
    python -m training export runs/gos --store model_store --version 1
"""

import argparse
from pathlib import Path

from training.checkpoint import load_checkpoint
from training.export import export_run
from training.runs import open_cohort, read_notes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of an evaluated run", metavar="RUN")
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
    )
    parser.add_argument("--version", type=int, default=1, help="integer version; never overwritten")


def run(options: argparse.Namespace) -> int:
    """Export, re-open, compare, and only then move into the store."""
    checkpoint = load_checkpoint(options.run / "checkpoint.pt")
    cohort = open_cohort(Path(read_notes(options.run)["cohort"]), checkpoint.config)
    export_run(checkpoint, cohort.description, options.run, options.store, options.version)
    return 0
