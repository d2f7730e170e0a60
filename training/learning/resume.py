"""Going on after a kill: everything the next step depends on, written whole at the end of each epoch, and within one every few minutes.

A run that was cut off repeats the steps since then, with the same order, augmentation and dropout, and so arrives at the numbers
of a run that was never cut off (bit for bit on the same machine, processes and threads).
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from training.checkpoint import as_bytes, unpickled
from training.cohort import Split
from training.config import RunConfig, config_to_dict
from training.files.whole_files import write_whole
from training.learning.averaging import WeightAverage
from training.learning.distributed import gathered, rank, world
from training.prepare import PreparedSet

if TYPE_CHECKING:
    from lightning.fabric.plugins.precision import Precision  # takes seconds to load

STATE_FILE = "state.pt"
STATE_VERSION = 2
"""Raised when what a state holds is put back in another way: a run then starts afresh."""
SAVE_EVERY_S = 300.0
"""Most that a kill costs, beside the step under way."""
_STEPS_BETWEEN_TALKS = 16
"""Several processes must save at the same step; asking after each would hold them up."""


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        epoch: Epochs done.
        best: Lowest validation NLL so far.
        best_epoch: Where it was.
    """

    epoch: int = 0
    best: float = float("inf")
    best_epoch: int = 0


@dataclass
class Underway:
    """What the epoch under way has come to.

    Attributes:
        steps: Taken.
        losses: Of each micro-batch.
        norms: Of the gradients, of each step that had one.
        seconds: In all.
        waited: Seconds of them spent waiting for batches.
        dealt_from: State of `Moving.order` before the cases were dealt.
    """

    steps: int = 0
    losses: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0
    dealt_from: Tensor | None = None


@dataclass
class Moving:
    """What changes from step to step.

    Attributes:
        net: The network.
        average: Its running average.
        optimizer: With its moments.
        schedule: Of the learning rate.
        order: Deals the cases; the same in every process.
        change: Decides the augmentation; one for each process.
        precision: Fabric's plugin; keeps the scale of the gradients in float16.
        underway: Replaced when an epoch ends.
    """

    net: nn.Module
    average: WeightAverage
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    order: torch.Generator
    change: torch.Generator
    precision: "Precision"
    underway: Underway = field(default_factory=Underway)


class Saver:
    """Writes the state of one run.

    Args:
        path: The file.
        digest: Of the run.
        progress: How far it is.
        moving: What its steps change.
        every_s: Seconds after which `now_and_then` writes again.
    """

    def __init__(self, path: Path, digest: str, progress: Progress, moving: Moving, every_s: float) -> None:
        self._path, self._digest = path, digest
        self._progress, self._moving = progress, moving
        self._every_s, self._saved_s = every_s, time.monotonic()

    def save(self) -> None:
        """Write it now, atomically; every process calls this, the first one writes."""
        chance = gathered(_chance(self._moving))
        if rank() == 0:
            tree = {"digest": self._digest, "progress": asdict(self._progress), "chance": chance}
            write_whole(self._path, as_bytes(tree | _state(self._moving)))
        self._saved_s = time.monotonic()

    def now_and_then(self) -> None:
        """Write it where that was long ago; every process calls this after each step, and the first one's clock counts."""
        apart = 1 if world() == 1 else _STEPS_BETWEEN_TALKS
        if self._moving.underway.steps % apart:
            return
        if gathered(time.monotonic() - self._saved_s >= self._every_s)[0]:
            self.save()


def load_state(path: Path, digest: str, moving: Moving) -> Progress:
    """Put a run back to where its state was last written.

    Returns:
        How far it is; a fresh start where there is no state, or that of another configuration or other patients.

    Raises:
        CohortError: The file is damaged.
    """
    if not path.is_file():
        return Progress()
    stored = unpickled(path)
    if stored["digest"] != digest:
        return Progress()
    moving.net.load_state_dict(stored["net"])
    moving.average.load_state_dict(stored["average"])
    moving.optimizer.load_state_dict(stored["optimizer"])
    moving.schedule.load_state_dict(stored["schedule"])
    moving.precision.load_state_dict(stored["precision"])
    moving.order.set_state(stored["order"])
    chance = stored["chance"][rank()]
    moving.change.set_state(chance["change"])
    torch.set_rng_state(chance["torch"])
    if chance["cuda"] is not None:
        torch.cuda.set_rng_state(chance["cuda"])
    moving.underway = Underway(**chance.get("underway", {}))
    return Progress(**stored["progress"])


def run_digest(config: RunConfig, parts: Mapping[Split, PreparedSet], processes: int) -> str:
    """Changes with everything that the numbers of a run depend on; wherever the cohort lies, of whose place the names of prepared images tell."""
    tree = config_to_dict(config)
    for free in ("threads", "workers", "loader_workers"):
        tree["training"].pop(free, None)
    digest = hashlib.sha256(json.dumps([STATE_VERSION, tree, processes], sort_keys=True).encode())
    for part in (parts["train"], parts["validation"]):
        for path in (*part.images, *part.masks):
            digest.update(_content(path) if path else b"none")
        for array in (part.values, part.missing, part.labels):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _state(moving: Moving) -> dict[str, Any]:
    dealt_from = moving.underway.dealt_from
    return {
        "net": moving.net.state_dict(),
        "average": moving.average.state_dict(),
        "optimizer": moving.optimizer.state_dict(),
        "schedule": moving.schedule.state_dict(),
        "precision": moving.precision.state_dict(),
        "order": moving.order.get_state() if dealt_from is None else dealt_from,
    }


def _chance(moving: Moving) -> dict[str, Any]:
    """What differs from process to process."""
    return {
        "underway": asdict(moving.underway),
        "change": moving.change.get_state(),
        "torch": torch.get_rng_state(),
        # Of its own card alone: the machine on which it goes on may have fewer.
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }
