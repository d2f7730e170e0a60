"""`python -m training`: from a cohort to a served package.

Example:
    python -m training phantoms --task gos --train 400 --validation 100 --calibration 100 --test 100 --out runs/cohort
    python -m training check runs/cohort --config training/configs/gos.toml
    python -m training train runs/cohort --config training/configs/gos.toml --out runs/gos
    python -m training evaluate runs/gos
    python -m training report runs/gos
    python -m training export runs/gos --store model_store --version 3
    python -m training validate model_store/gos/3 /data/another-cohort --out runs/gos-there
    python -m training recalibrate model_store/gos/3 /data/another-cohort --version 4 --out runs/gos-there
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType, MappingProxyType
from typing import Final

from app.errors import NeuroFuseError
from app.errors.disk import UNAVAILABLE_DISK

STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worlds": "check every row on planted worlds, whose answers are known",
        "phantoms": "write a synthetic cohort with known truth",
        "describe": "draft the description of a table of patients",
        "check": "look through a cohort for all that is wrong, before training",
        "train": "fit one row of the model table on a cohort",
        "ablation": "fit rows x folds x seeds in parallel and compare them",
        "evaluate": "calibrate, and judge once on the held-out patients",
        "report": "write everything that was found as one HTML file",
        "export": "turn a trained, evaluated run into a model package",
        "validate": "judge a package on patients of another cohort",
        "recalibrate": "fit a package's probabilities and sets to another cohort",
    }
)
"""What each module of `training.commands` does, in the order in which they are listed."""
GO_ON: Final = frozenset({"phantoms", "train", "ablation", "validate", "recalibrate"})
"""Steps that keep what an earlier call has finished."""


def build_parser() -> argparse.ArgumentParser:
    """The command line, one subcommand per step."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    for name, words in STEPS.items():
        module = import_module(f"training.commands.{name}")
        step = steps.add_parser(
            name, help=words, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(step)
        step.set_defaults(command=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; an error made on purpose, and an interruption, are told in words, without a stack trace.

    Returns:
        Exit status: 2 for an error, and 128 + the signal's number for an interruption, as shells count (130 after Ctrl-C).
    """
    given = sys.argv[1:] if arguments is None else arguments
    chosen = next((each for each in given if each in STEPS), None)
    try:
        options = build_parser().parse_args(given)
        status: int = options.command(options)
    except NeuroFuseError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 2
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        sys.stderr.write(
            "path-invalid: expected a folder where there is a file, or a file where there is a folder; name another, and run it again\n"
        )
        return 2
    except OSError as error:
        if error.errno not in UNAVAILABLE_DISK:
            raise
        sys.stderr.write(
            f"disk-unavailable: {error.strerror}; make room or name another folder, and run it again\n"
        )
        return 2
    except KeyboardInterrupt as stopped:
        sys.stderr.write(
            "interrupted: what is finished is kept, and the same command goes on from there\n"
            if chosen in GO_ON
            else "interrupted: nothing half-written is left; the same command begins anew\n"
        )
        return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)
    return status


def stop_by_sigterm() -> None:
    """Let SIGTERM end a step as Ctrl-C does; one that waits for other processes of `torchrun` could not, and dies at once as before."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    if "WORLD_SIZE" not in os.environ:
        signal.signal(signal.SIGTERM, interrupt)


if __name__ == "__main__":
    stop_by_sigterm()
    sys.exit(main())
