"""Training cases per second of our trainer beside a plain MONAI + Lightning script: same network, patients and machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from rich.table import Table

from benchmarks.making import kept
from benchmarks.measure import told_in_turns
from benchmarks.trainers.bare import Bare
from benchmarks.trainers.ours import Ours, without_guidance
from benchmarks.trainers.plain import Plain
from training.config import RunConfig, load_config
from training.phantoms.cohort import generate_cohort
from training.runs import open_cohort

CASES, BATCH, SEED = 64, 16, 4321
COHORT = Path("runs") / "bench" / "training"
CONFIG = Path(__file__).parents[1] / "training" / "configs" / "gos.toml"
TITLE = "One epoch of training"
NOTE = (
    "{cases} phantom head CTs (NIfTI), network of training/configs/{name}.toml, batches of {batch}, {precision}, {threads} threads; "
    "medians of {rounds} rounds in turns. Ratio: the median of the quotients within a round. The bare network takes the same steps on "
    "one batch that lies ready. Spared to the plain script: search for the head, smoothing before resampling, checks."
)


def run(rounds: int) -> Table:
    """Train an epoch by every way, in turns.

    Args:
        rounds: Rounds that count, after one to warm up.
    """
    config = load_config(CONFIG)
    config = replace(config, training=replace(config.training, batch_size=BATCH))
    return compared(kept(COHORT, _phantoms), config, rounds)


def compared(cohort: Path, config: RunConfig, rounds: int) -> Table:
    """Train an epoch by every way, in turns, whatever the patients.

    Args:
        cohort: Folder.
        config: Network and loop; its guidance by masks is left out.
        rounds: Rounds that count, after one to warm up.
    """
    config = without_guidance(config)
    cases = len(open_cohort(cohort, config).part("train"))
    torch.set_num_threads(config.training.threads)
    ours = Ours(cohort, config)
    bare = Bare(cohort, config, ours)
    plain, caching = Plain(cohort, config, cached=False), Plain(cohort, config, cached=True)
    try:
        taken = told_in_turns(
            {
                "ours, later epochs": lambda: ours.cached().seconds,
                "ours, first epoch": lambda: _timed(ours.uncached),
                "MONAI Dataset + Lightning": plain.epoch,
                "MONAI CacheDataset + Lightning, later epochs": caching.epoch,
                "bare network": lambda: _timed(bare.epoch),
            },
            rounds,
        )
    finally:
        ours.close()
    table = Table("trainer", "cases / s", "time / ours", title=TITLE)
    table.caption = NOTE.format(
        cases=cases,
        name=config.name,
        batch=config.training.batch_size,
        precision=config.training.precision,
        threads=config.training.threads,
        rounds=rounds,
    )
    reference = taken["ours, later epochs"]
    for name, times in taken.items():
        pairs = zip(times.seconds, reference.seconds, strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        table.add_row(name, f"{1000 * cases / times.p50_ms:.1f}", f"{ratio:.2f} x")
    return table


def _timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _phantoms(folder: Path) -> None:
    counts = {"train": CASES, "validation": 4, "calibration": 4, "test": 4}
    generate_cohort("gos", counts, folder, seed=SEED, workers=2)
