"""Write the report of an evaluated run: one HTML file that needs nothing else and prints on A4.

Example:
    python -m training report runs/gos
    python -m training report runs/gos --ablation runs/gos-ablation --out report.html
    python -m training report runs/gos --cohort /archive/cohort
"""

import argparse
from pathlib import Path

from app.later import later

run = later("training.steps.report:run")

REPORT_FILE = "report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of an evaluated run", metavar="RUN")
    parser.add_argument(
        "--ablation",
        type=Path,
        metavar="DIR",
        help="folder of an ablation, for the model table and its differences",
    )
    parser.add_argument(
        "--cohort",
        type=Path,
        metavar="DIR",
        help="folder of the cohort, of which only cohort.json is read (default: the one noted in RUN, if it is still there)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where to write it (default: RUN/{REPORT_FILE})"
    )
