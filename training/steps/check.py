"""`python -m training check`: look through a cohort."""

import argparse

from rich.console import Console

from training.cohort_check.printing import print_report
from training.cohort_check.report import check_cohort
from training.config import load_config


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
