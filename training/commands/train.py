"""Fit one row of the model table on a cohort: the full model unless another is named.

Writes predictions.npz (what it answers for every patient of every split), splits.json and run.json; a network also its checkpoint and history.

Examples:
    python -m training train runs/cohort --config training/configs/gos.toml --out runs/gos
    python -m training train runs/cohort --config training/configs/gos.toml --row ehr-lr --out runs/gos-ehr-lr
    python -m training train runs/cohort --config training/configs/gos.toml --row image --fold 1/5 --seed 7 --out runs/image-1
    python -m training train runs/cohort --config training/configs/gos.toml --leave-site north --out runs/without-north
    torchrun --nproc-per-node 2 -m training train runs/cohort --config training/configs/gos.toml --out runs/gos
"""

import argparse
import datetime as dt
from pathlib import Path

from rich.console import Console

from training import distributed
from training.ablation.jobs import Job, cohort_of, refuse_another_run, run_job
from training.cohort import CohortError
from training.cohort_check.beforehand import require_patients, tell_errors
from training.commands import positive
from training.config import SEEDS, load_config, with_epochs
from training.rows import FULL, check_row, titles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run", metavar="RUN")
    parser.add_argument("--cache", type=Path, help="folder of prepared images (default: COHORT/prepared)")
    parser.add_argument(
        "--row",
        default=FULL,
        metavar="NAME",
        help=f"row of the model table (default: {FULL}): {', '.join(titles('gos'))}",
    )
    parser.add_argument("--epochs", type=int, help="override training.epochs and steps of the config")
    parser.add_argument(
        "--seed",
        type=_seed,
        help="override the seed of initialisation and order; patients stay split as before",
    )
    parted = parser.add_mutually_exclusive_group()
    parted.add_argument(
        "--fold", type=fold, metavar="I/K", help="part I (1..K) of K-fold cross-validation is the test split"
    )
    parted.add_argument(
        "--leave-site",
        metavar="NAME",
        help="test on this site, train on all others (cohort.json names `site`)",
    )
    parted.add_argument(
        "--test-from",
        type=dt.date.fromisoformat,
        metavar="DATE",
        help="test on patients from this day on, YYYY-MM-DD, train on earlier ones (cohort.json names `date`)",
    )
    parted.add_argument(
        "--splits",
        type=Path,
        metavar="FILE",
        help="splits.json of another run: the same patients in each split",
    )
    parser.add_argument(
        "--repeat", type=positive, default=1, metavar="R", help="which division into folds, 1 for the first"
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep a run that is finished and go on with one that was cut off, if nothing it depends on has changed; "
        "--no-resume replaces whatever run the folder holds",
    )


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


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {SEEDS - 1}, got {text!r}")
    return int(text)


def fold(text: str) -> tuple[int, int]:
    """`2/5` as (2, 5)."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts) and int(parts) > 1):
        raise argparse.ArgumentTypeError(
            f"expected I/K with 1 <= I <= K and K > 1, such as 2/5, got {text!r}"
        )
    return int(part), int(parts)
