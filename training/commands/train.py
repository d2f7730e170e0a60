"""Train one network on a cohort.

Example:
    python -m training train runs/cohort-gos --config training/configs/gos.toml --out runs/gos
"""

import argparse
from dataclasses import replace
from pathlib import Path

from training.config import RunConfig, load_config
from training.networks.rows import ROWS, row
from training.runs import open_cohort, prepared_part, write_notes
from training.train import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.json and cohort.csv")
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--cache", type=Path, help="folder of prepared images (default: COHORT/prepared)")
    parser.add_argument(
        "--row",
        choices=ROWS,
        help="train another row of the model table with the same parts, such as image or record",
    )
    parser.add_argument("--epochs", type=int, help="override training.epochs of the config")


def run(options: argparse.Namespace) -> int:
    """Prepare, train, and note where everything came from."""
    config = _overridden(load_config(options.config), options)
    cohort = open_cohort(options.cohort, config)
    cache = options.cache or options.cohort / "prepared"
    parts = {split: prepared_part(cohort, config, split, cache) for split in ("train", "validation")}
    write_notes(options.out, options.cohort, cache)
    train(config, cohort.description.features, parts, options.out)
    return 0


def _overridden(config: RunConfig, options: argparse.Namespace) -> RunConfig:
    if options.row:
        config = replace(config, model=row(config.model, options.row))
    if options.epochs:
        config = replace(config, training=replace(config.training, epochs=options.epochs))
    return config
