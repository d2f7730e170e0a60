"""`python -m training`: from a cohort to a served package.

Example:
    python -m training phantoms --task gos --train 400 --validation 100 --calibration 100 --test 100 --out runs/cohort
    python -m training check runs/cohort --config training/configs/gos.toml
    python -m training train runs/cohort --config training/configs/gos.toml --out runs/gos
    python -m training evaluate runs/gos
    python -m training report runs/gos
    python -m training export runs/gos --store model_store --version 2
"""

import argparse
import sys
from collections.abc import Sequence

from app.errors import NeuroFuseError
from training.commands import ablation, check, evaluate, export, phantoms, report, train, worlds


def build_parser() -> argparse.ArgumentParser:
    """The command line, one subcommand per step."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    for name, module, words in (
        ("worlds", worlds, "check every row on planted worlds, whose answers are known"),
        ("phantoms", phantoms, "write a synthetic cohort with known truth"),
        ("check", check, "look through a cohort for all that is wrong, before training"),
        ("train", train, "fit one row of the model table on a cohort"),
        ("ablation", ablation, "fit rows x folds x seeds in parallel and compare them"),
        ("evaluate", evaluate, "calibrate, and judge once on the held-out patients"),
        ("report", report, "write everything that was found as one HTML file"),
        ("export", export, "turn a trained, evaluated run into a model package"),
    ):
        step = steps.add_parser(
            name, help=words, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(step)
        step.set_defaults(command=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; an error made on purpose is printed in words, without a stack trace."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except NeuroFuseError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
