"""Calibrate a trained run and judge it once on the held-out patients.

Writes evaluation.json, calibration.json and, for networks, embedding.npz into the run's folder. A rival is any trained row of the
same cohort and split, tabular or neural; the same name given twice stands for two seeds of one row.

Example:
    python -m training evaluate runs/gos --rival image=runs/gos-image --rival record=runs/gos-record
    python -m training evaluate runs/gos --second runs/gos-seed7
    python -m training evaluate runs/gos-s1 --rival concat=runs/concat-s1 --rival concat=runs/concat-s2
"""

import argparse
from pathlib import Path

from app.later import later

run = later("training.steps.evaluate:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", type=Path, help="folder of a trained run", metavar="RUN")
    parser.add_argument(
        "--rival", action="append", default=[], metavar="NAME=RUN", help="run to compare with; repeatable"
    )
    parser.add_argument(
        "--second",
        type=Path,
        metavar="RUN",
        help="run of the same configuration with another --seed: how far do the maps depend on chance",
    )
    parser.add_argument(
        "--image-cases",
        type=int,
        metavar="N",
        help="most cases in each check of the maps and of robustness, which take the most time; 0 leaves them out, and --second with them",
    )
    parser.add_argument(
        "--cohort", type=Path, metavar="DIR", help="folder of the cohort (default: the one noted in RUN)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder of prepared images (default: the one noted in RUN, or with --cohort its folder prepared)",
    )
