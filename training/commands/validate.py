"""Ask a package about patients of another cohort whose outcome is known, and judge its answers (external validation).

Nothing is fitted to these patients, who should be none of those that the package was trained on. Writes evaluation.json, of which `report` makes a
page, and answers.csv, with a line for each patient. After an interruption the same command goes on: answers are kept in asked.jsonl as they come.

Example:
    python -m training validate model_store/gos/2 /data/our-cohort --out runs/gos-here
    python -m training report runs/gos-here
"""

import argparse
from pathlib import Path

from app.later import later
from training.commands import positive

run = later("training.steps.validate:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "package", type=Path, help="folder of a package, such as model_store/gos/2", metavar="PACKAGE"
    )
    parser.add_argument("cohort", type=Path, help="folder of a cohort, as for training", metavar="COHORT")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what is found")
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes that read images (default: 1, this one)"
    )
