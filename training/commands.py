"""The steps of a run as subcommands; each reads a folder, writes a folder, and can be run again."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from app.errors import NeuroFuseError
from training.cohort import SPLITS, Cohort, load_cohort
from training.config import RunConfig, load_config
from training.evaluate import Rival, evaluate_run, print_metrics
from training.export import export_run
from training.networks.rows import ROWS, row
from training.prepare import PreparedSet, Target, prepare
from training.splits import split_cohort
from training.train import load_checkpoint, train

RUN_FILE = "run.json"


class Train:
    """Train one network on a cohort.

    Example:
        python -m training train runs/cohort-gos --config training/configs/gos.toml --out runs/gos
    """

    @staticmethod
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

    @staticmethod
    def run(options: argparse.Namespace) -> int:
        """Prepare, train, and note where everything came from."""
        config = _overridden(load_config(options.config), options)
        cohort = open_cohort(options.cohort, config)
        cache = options.cache or options.cohort / "prepared"
        parts = {split: prepared_part(cohort, config, split, cache) for split in ("train", "validation")}
        options.out.mkdir(parents=True, exist_ok=True)
        run = {"cohort": str(options.cohort.resolve()), "cache": str(cache.resolve())}
        (options.out / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
        train(config, cohort.description.features, parts, options.out)
        return 0


class Evaluate:
    """Calibrate a trained run and judge it once on the held-out patients.

    Example:
        python -m training evaluate runs/gos --rival image=runs/gos-image --rival record=runs/gos-record
    """

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("run", type=Path, help="folder of a trained run", metavar="RUN")
        parser.add_argument(
            "--rival", action="append", default=[], metavar="NAME=RUN", help="run to compare with; repeatable"
        )

    @staticmethod
    def run(options: argparse.Namespace) -> int:
        """Write evaluation.json, calibration.json and embedding.npz into the run's folder."""
        checkpoint = load_checkpoint(options.run / "checkpoint.pt")
        cohort, parts = open_run(options.run, checkpoint.config)
        rivals = [_rival(*text.partition("=")[::2]) for text in options.rival]
        print_metrics(evaluate_run(checkpoint, cohort, parts, rivals, options.run))
        return 0


class Export:
    """Turn a trained, evaluated run into a sealed model package.

    Example:
        python -m training export runs/gos --store model_store --version 1
    """

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("run", type=Path, help="folder of an evaluated run", metavar="RUN")
        parser.add_argument(
            "--store", type=Path, default=Path("model_store"), help="model store (default: model_store)"
        )
        parser.add_argument("--version", type=int, default=1, help="integer version; never overwritten")

    @staticmethod
    def run(options: argparse.Namespace) -> int:
        """Export, re-open, compare, and only then move into the store."""
        checkpoint = load_checkpoint(options.run / "checkpoint.pt")
        cohort = open_cohort(Path(_run_notes(options.run)["cohort"]), checkpoint.config)
        export_run(checkpoint, cohort.description, options.run, options.store, options.version)
        return 0


def open_cohort(folder: Path, config: RunConfig) -> Cohort:
    """The cohort with every patient in a split, checked against the run's task."""
    cohort = load_cohort(folder)
    if cohort.description.task != config.task:
        raise NeuroFuseError(
            f"expected a cohort for task {config.task}, found one for {cohort.description.task}"
        )
    return split_cohort(cohort, config.seed)


def open_run(run: Path, config: RunConfig) -> tuple[Cohort, dict[str, PreparedSet]]:
    """The cohort of a run and all its prepared splits."""
    notes = _run_notes(run)
    cohort = open_cohort(Path(notes["cohort"]), config)
    return cohort, {split: prepared_part(cohort, config, split, Path(notes["cache"])) for split in SPLITS}


def prepared_part(cohort: Cohort, config: RunConfig, split: str, cache: Path) -> PreparedSet:
    """One split on the model grid."""
    cases = [case for case in cohort.cases if case.split == split]
    target = Target(config.grid, config.guidance.labels)
    return prepare(cases, cohort.description.ehr, target, cache, config.training.workers)


def _rival(name: str, run: str) -> Rival:
    checkpoint = load_checkpoint(Path(run) / "checkpoint.pt")
    return Rival(name, checkpoint.net, checkpoint.config.training.epochs)


def _run_notes(run: Path) -> dict[str, str]:
    notes: dict[str, str] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    return notes


def _overridden(config: RunConfig, options: argparse.Namespace) -> RunConfig:
    if options.row:
        config = replace(config, model=row(config.model, options.row))
    if options.epochs:
        config = replace(config, training=replace(config.training, epochs=options.epochs))
    return config
