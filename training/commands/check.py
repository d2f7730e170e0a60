"""Look through a cohort before training: every file is opened, every column judged, and all that is wrong is listed.

Prints rows and columns, never a patient's value. The exit status is 1 where there are errors. The codes are explained in
docs/reference/cohort.md.

Examples:
    python -m training check runs/cohort
    python -m training check runs/cohort --config training/configs/gos.toml --workers 4 --json findings.json
"""

import argparse
from pathlib import Path

from app.cpus import usable_cpus
from app.later import later

run = later("training.steps.check:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, help="TOML file of the planned run: does it suit the cohort?")
    parser.add_argument(
        "--workers",
        type=int,
        default=usable_cpus(),
        metavar="N",
        help="processes that open images (one per core)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all findings, with every row")
