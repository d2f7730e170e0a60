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
from pathlib import Path

from rich.console import Console

from app.cpus import usable_cpus
from training.ablation.plan import Plan, choose_rows, whole_numbers
from training.ablation.study import run_study
from training.cohort import CohortError
from training.commands import positive
from training.config import load_config, with_epochs
from training.rows import titles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the full model's run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table and of all runs")
    parser.add_argument(
        "--rows", default="all", metavar="A,B", help=f"rows, or all (default): {', '.join(titles('gos'))}"
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


def run(options: argparse.Namespace) -> int:
    """Run what is missing and write the table; 1 where a job failed, 130 where it was interrupted."""
    if options.repeats > 1 and not options.folds:
        raise CohortError("--repeats counts divisions into folds; give --folds too, or leave it out")
    config = load_config(options.config)
    if options.epochs:
        config = with_epochs(config, options.epochs)
    plan = Plan(
        cohort=options.cohort,
        config=config,
        rows=choose_rows(options.rows, config),
        folds=options.folds,
        repeats=options.repeats,
        seeds=options.seeds,
        sizes=options.sizes,
        cache=options.cache or options.cohort / "prepared",
        out=options.out,
    )
    return run_study(plan, options.workers, Console())


def _several(text: str) -> int:
    if (value := positive(text)) == 1:
        raise argparse.ArgumentTypeError(
            "expected at least 2 folds; leave --folds out for the cohort's own splits"
        )
    return value
