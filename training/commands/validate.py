"""Ask a package about patients of another cohort whose outcome is known, and judge its answers (external validation).

Nothing is fitted to these patients, who should be none of those that the package was trained on. Writes evaluation.json, of which `report` makes a
page, and answers.csv, with a line for each patient.

Example:
    python -m training validate model_store/gos/2 /data/our-cohort --out runs/gos-here
    python -m training report runs/gos-here
"""

import argparse
from pathlib import Path

from app.model_package.package import MANIFEST
from training.cohort import DESCRIPTION_FILE, CohortError
from training.commands import positive
from training.environment import ENVIRONMENT_FILE, write_environment
from training.evaluation.document import save_evaluation
from training.evaluation.printing import print_evaluation
from training.predictions import PREDICTIONS_FILE
from training.runs import RUN_FILE
from training.validate import save_answers, validate_package

OF_OTHERS = (RUN_FILE, PREDICTIONS_FILE, MANIFEST, DESCRIPTION_FILE)
"""What lies in folders whose content would be replaced, or be no longer whole."""


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
