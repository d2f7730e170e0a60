"""Fit rows x folds x seeds of the model table on one cohort, in parallel, and compare them on the same patients.

Prints the table as it fills; writes OUT/ablation.json, table.csv and table.md, and every run into a folder of its own. Jobs that
are finished are kept: the same command goes on after an interruption, and one with more rows, seeds or folds does what is missing.
The table holds what the last command named.

Examples:
    python -m training ablation runs/cohort --config training/configs/gos.toml --rows all --seeds 3 --out runs/table
    python -m training ablation runs/cohort --config training/configs/gos.toml --rows mma+mhgmu,concat,ehr-lr --folds 5 --out runs/cv
    python -m training ablation runs/cohort --config training/configs/gos.toml --rows all --sizes 200,600,2000 --out runs/sizes
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.cpus import usable_cpus
from app.later import later
from training.commands import positive
from training.names import NETWORKS, TABULAR

run = later("training.steps.ablation:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the full model's run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table and of all runs")
    parser.add_argument(
        "--rows",
        default="all",
        metavar="A,B",
        help=f"rows, or all (default): {', '.join((*TABULAR, *NETWORKS))}",
    )
    parser.add_argument(
        "--folds", type=_several, metavar="K", help="cross-validate (default: the cohort's own splits)"
    )
    parser.add_argument("--repeats", type=positive, default=1, metavar="R", help="divisions into folds (1)")
    parser.add_argument(
        "--seeds",
        type=positive,
        default=1,
        metavar="S",
        help="trainings of every network on the same patients (1)",
    )
    parser.add_argument(
        "--sizes",
        type=whole_numbers,
        default=(),
        metavar="N,M",
        help="learning curve: nested training sets of these sizes, one test set",
    )
    parser.add_argument(
        "--workers", type=positive, default=usable_cpus(), metavar="N", help="processes (one per core)"
    )
    parser.add_argument("--epochs", type=positive, help="override training.epochs and steps of the config")
    parser.add_argument("--cache", type=Path, help="folder of prepared images (default: COHORT/prepared)")


def _several(text: str) -> int:
    if (value := positive(text)) == 1:
        raise argparse.ArgumentTypeError(
            "expected at least 2 folds; leave --folds out for the cohort's own splits"
        )
    return value


def whole_numbers(text: str) -> Sequence[int]:
    """`600,200` as (200, 600).

    Raises:
        ValueError: A part is no whole number of at least 1.
    """
    numbers = sorted({int(part) for part in text.split(",")})
    if numbers[0] < 1:
        raise ValueError(f"expected whole numbers >= 1, found {numbers[0]}")
    return tuple(numbers)
