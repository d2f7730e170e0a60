"""`python -m training phantoms`: writes a phantom cohort."""

import argparse
from pathlib import Path

from rich.console import Console

from training.phantoms.cohort import generate_cohort

_DEFAULT_COUNTS = {"train": 2200, "validation": 300, "calibration": 300, "test": 600}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--task", choices=("gos", "ad"), required=True, help="which risk world")
    for split, count in _DEFAULT_COUNTS.items():
        parser.add_argument(
            f"--{split}", type=_count, default=count, metavar="N", help=f"cases for {split} ({count})"
        )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the cohort; finished cases in it are kept"
    )
    parser.add_argument("--seed", type=_count, default=0, help="equal seeds give equal cohorts (0)")
    parser.add_argument("--workers", type=_positive, default=1, help="processes (1)")
    parser.add_argument(
        "--dicom-share", type=_share, default=0.0, help="share of images written as DICOM series (0)"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the cohort and says where.

    Args:
        args: Parsed options of `add_arguments`.

    Returns:
        Exit status.
    """
    counts = {split: getattr(args, split) for split in _DEFAULT_COUNTS}
    table = generate_cohort(
        args.task, counts, args.out, seed=args.seed, workers=args.workers, dicom_share=args.dicom_share
    )
    Console().print(f"{sum(counts.values())} cases: {table}", soft_wrap=True)
    return 0


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number >= 0, got {value}")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number >= 1, got {value}")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a share between 0 and 1, got {value}")
    return value
