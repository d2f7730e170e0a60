"""`python -m training ablation`: fit rows x folds x seeds."""

import argparse

from rich.console import Console

from training.ablation.plan import Plan, choose_rows
from training.ablation.study import run_study
from training.cohort import CohortError
from training.config import load_config, with_epochs


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
