"""`python -m training report`: write the report of a run."""

import argparse
from pathlib import Path

from rich.console import Console

from training.commands.report import REPORT_FILE
from training.files.whole_files import write_whole
from training.report.material import gather
from training.report.page import render


def run(options: argparse.Namespace) -> int:
    """Gather, set, write at once."""
    out: Path = options.out or options.run / REPORT_FILE
    text = render(gather(options.run, options.ablation, options.cohort))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text)
    Console().print(
        f"report: {out} ({len(text.encode()) / 1e6:.1f} MB)", soft_wrap=True, markup=False, highlight=False
    )
    return 0
