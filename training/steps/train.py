"""`python -m training train`: fit one row."""

import argparse

from rich.console import Console

from training.cohort import CohortError
from training.cohort_check.beforehand import require_patients, tell_errors
from training.config import load_config, with_epochs
from training.jobs import Job, cohort_of, refuse_another_run, run_job
from training.learning import distributed
from training.rows import check_row


def run(options: argparse.Namespace) -> int:
    """Fit, and note where everything came from; under `torchrun`, with the other processes."""
    if options.repeat > 1 and not options.fold:
        raise CohortError(
            "--repeat says which division into folds is meant; give --fold too, or leave it out"
        )
    distributed.join()
    config = load_config(options.config)
    if options.epochs is not None:
        config = with_epochs(config, options.epochs)
    check_row(options.row, config.task)
    job = Job(
        options.row,
        config.seed if options.seed is None else options.seed,
        options.fold,
        options.repeat,
        leave_site=options.leave_site,
        test_from=options.test_from,
        splits=options.splits,
    )
    require_patients(cohort_of(job, options.cohort, config))
    if distributed.rank() == 0:
        tell_errors(options.cohort, config, Console(stderr=True))
    if options.resume:
        refuse_another_run(job, options.cohort, config, options.out)
    run_job(
        job,
        options.cohort,
        config,
        options.cache or options.cohort / "prepared",
        options.out,
        resume=options.resume,
    )
    if distributed.rank() == 0:
        Console().print(f"{options.row}: {options.out}", soft_wrap=True, markup=False, highlight=False)
    distributed.leave()
    return 0
