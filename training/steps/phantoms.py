"""`python -m training phantoms`: write a phantom cohort."""

import argparse

from rich.console import Console

from training.cohort import CohortError
from training.commands.phantoms import DEFAULT_COUNTS, SLICES_COUNTS
from training.files.one_process import alone_in
from training.phantoms.cohort import generate_cohort


def run(options: argparse.Namespace) -> int:
    """Write the cohort, and say where."""
    if options.slices and (options.task != "gos" or options.dicom_share):
        raise CohortError("--slices goes with --task gos and without --dicom-share; leave one of them out")
    defaults = SLICES_COUNTS if options.slices else DEFAULT_COUNTS
    chosen = {split: getattr(options, split) for split in defaults}
    counts = {split: defaults[split] if count is None else count for split, count in chosen.items()}
    with alone_in(options.out):
        table = generate_cohort(
            options.task,
            counts,
            options.out,
            seed=options.seed,
            workers=options.workers,
            dicom_share=options.dicom_share,
            slices=options.slices,
        )
    Console().print(f"{sum(counts.values())} cases: {table}", soft_wrap=True, markup=False, highlight=False)
    return 0
