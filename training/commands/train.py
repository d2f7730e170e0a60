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

from app.later import later
from training.commands import positive
from training.names import FULL, NETWORKS, SEEDS, TABULAR

run = later("training.steps.train:run")


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
        help=f"row of the model table (default: {FULL}): {', '.join((*TABULAR, *NETWORKS))}",
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
