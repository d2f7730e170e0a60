"""`python -m training validate`: judge a package on another cohort."""

import argparse
from pathlib import Path

from app.model_package.package import MANIFEST
from training.cohort import DESCRIPTION_FILE, CohortError
from training.environment import ENVIRONMENT_FILE, write_environment
from training.evaluation.document import save_evaluation
from training.evaluation.printing import print_evaluation
from training.predictions import PREDICTIONS_FILE
from training.runs import RUN_FILE
from training.validate import save_answers, validate_package

OF_OTHERS = (RUN_FILE, PREDICTIONS_FILE, MANIFEST, DESCRIPTION_FILE)
"""What lies in folders whose content would be replaced, or be no longer whole."""


def run(options: argparse.Namespace) -> int:
    """Ask, judge, write, print."""
    out: Path = options.out
    if any((out / name).exists() for name in OF_OTHERS):
        raise CohortError(
            "expected a folder of its own for --out, found that of a run, a package or a cohort; name another"
        )
    out.mkdir(parents=True, exist_ok=True)
    evaluation, asked = validate_package(options.package, options.cohort, options.workers)
    save_answers(asked, out)
    (out / ENVIRONMENT_FILE).unlink(missing_ok=True)  # of an earlier call
    write_environment(out)
    save_evaluation(evaluation, out)
    print_evaluation(evaluation)
    return 0
