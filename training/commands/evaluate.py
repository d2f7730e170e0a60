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

from training.cohort import CohortError
from training.evaluate import evaluate_run
from training.evaluation.budget import Budget
from training.evaluation.printing import print_evaluation


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


def run(options: argparse.Namespace) -> int:
    """Evaluate and print."""
    rivals: dict[str, list[Path]] = {}
    for text in options.rival:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise CohortError(f"expected --rival NAME=RUN, found {text!r}; correct it")
        rivals.setdefault(name, []).append(Path(folder))
    budget = _budget(options.image_cases)
    print_evaluation(evaluate_run(options.run, rivals, options.cohort, budget, options.second, options.cache))
    return 0


def _budget(cases: int | None) -> Budget | None:
    if cases is None:
        return Budget()
    return Budget.limited(cases) if cases > 0 else None
