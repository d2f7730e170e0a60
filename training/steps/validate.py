"""`python -m training validate`: judge a package on another cohort."""

import argparse

from training.environment import ENVIRONMENT_FILE, write_environment
from training.evaluation.document import save_evaluation
from training.evaluation.printing import print_evaluation
from training.validate import require_own_folder, save_answers, validate_package


def run(options: argparse.Namespace) -> int:
    """Ask, judge, write, print."""
    out = options.out
    require_own_folder(out)
    evaluation, asked = validate_package(options.package, options.cohort, options.workers, out)
    save_answers(asked, out)
    (out / ENVIRONMENT_FILE).unlink(missing_ok=True)  # of an earlier call
    write_environment(out)
    save_evaluation(evaluation, out)
    print_evaluation(evaluation)
    return 0
