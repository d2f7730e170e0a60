"""`python -m training export`: make a package of a run."""

import argparse

from rich.console import Console

from app.model_package.store import ModelStore
from training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from training.cohort import DESCRIPTION_FILE, read_description
from training.export import export_run
from training.runs import place_of_cohort


def run(options: argparse.Namespace) -> int:
    """Export, re-open, compare, and only then move into the store."""
    checkpoint = load_checkpoint(options.run / CHECKPOINT_FILE)
    description = read_description(place_of_cohort(options.run, options.cohort) / DESCRIPTION_FILE)
    store = ModelStore(options.store)
    package = export_run(checkpoint, description, options.run, store, options.version, options.precision)
    named = f"{package.manifest.name}@{package.manifest.version}"
    Console().print(f"{named}: {package.path}", soft_wrap=True, markup=False, highlight=False)
    return 0
