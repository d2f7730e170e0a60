"""Look through a cohort before training: every file is opened, every column judged, and all that is wrong is listed.

Prints rows and columns, never a patient's value. The exit status is 1 where there are errors. The codes are explained in
docs/reference/cohort.md.

Examples:
    python -m training check runs/cohort
    python -m training check runs/cohort --config training/configs/gos.toml --workers 4 --json findings.json
"""

import argparse
from pathlib import Path

from rich.console import Console

from app.cpus import usable_cpus
from training.cohort_check.printing import print_report
from training.cohort_check.report import check_cohort
from training.config import load_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, help="TOML file of the planned run: does it suit the cohort?")
    parser.add_argument(
        "--workers",
        type=int,
        default=usable_cpus(),
        metavar="N",
        help="processes that open images (one per core)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all findings, with every row")


def run(options: argparse.Namespace) -> int:
    """Check, print, and say by the exit status whether training may begin."""
    config = load_config(options.config) if options.config else None
    if options.json:  # before all images are read, not after
        options.json.parent.mkdir(parents=True, exist_ok=True)
    report = check_cohort(options.cohort, config, max(options.workers, 1), Console(stderr=True))
    print_report(report, Console())
    if options.json:
        options.json.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return int(bool(report.errors))
