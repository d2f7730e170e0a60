"""`python -m training evaluate`: calibrate and judge a run."""

import argparse
from pathlib import Path

from training.cohort import CohortError
from training.evaluate import evaluate_run
from training.evaluation.budget import Budget
from training.evaluation.printing import print_evaluation


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
