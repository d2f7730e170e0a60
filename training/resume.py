"""Going on after a kill: everything the next epoch depends on, written whole at the end of each.

A run cut off in the middle of an epoch repeats that epoch from its start, with the same order, augmentation and dropout, and so
arrives at the numbers of a run that was never cut off (bit for bit on the same machine, processes and threads).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.precision import Precision
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from training.averaging import WeightAverage
from training.config import RunConfig, config_to_dict
from training.distributed import gathered, rank
from training.prepare import PreparedSet

STATE_FILE = "state.pt"


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


@dataclass(frozen=True)
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
    """

    net: nn.Module
    average: WeightAverage
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    order: torch.Generator
    change: torch.Generator
    precision: Precision


def save_state(path: Path, digest: str, progress: Progress, moving: Moving) -> None:
    """Write the state at the end of an epoch, atomically; every process calls it, the first one writes."""
    chance = gathered(_chance(moving))
    if rank() == 0:
        partial = path.with_suffix(".part")
        torch.save(
            {"digest": digest, "progress": asdict(progress), "chance": chance, **_state(moving)}, partial
        )
        partial.replace(path)


def load_state(path: Path, digest: str, moving: Moving) -> Progress:
    """Put a run back to the end of its last whole epoch.

    Returns:
        How far it is; a fresh start where there is no state, or that of another configuration or other patients.
    """
    if not path.is_file():
        return Progress()
    stored = torch.load(path, map_location="cpu", weights_only=True)
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
    if chance["cuda"]:
        torch.cuda.set_rng_state_all(chance["cuda"])
    return Progress(**stored["progress"])


def run_digest(config: RunConfig, parts: dict[str, PreparedSet], processes: int) -> str:
    """Changes with everything that the numbers of a run depend on; cached images are named by their content."""
    tree = config_to_dict(config)
    for free in ("threads", "workers", "loader_workers"):
        tree["training"].pop(free, None)
    digest = hashlib.sha256(json.dumps([tree, processes], sort_keys=True).encode())
    for split in ("train", "validation"):
        part = parts[split]
        digest.update("\n".join(path.name for path in part.images).encode())
        for array in (part.values, part.missing, part.labels):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _state(moving: Moving) -> dict[str, Any]:
    return {
        "net": moving.net.state_dict(),
        "average": moving.average.state_dict(),
        "optimizer": moving.optimizer.state_dict(),
        "schedule": moving.schedule.state_dict(),
        "precision": moving.precision.state_dict(),
        "order": moving.order.get_state(),
    }


def _chance(moving: Moving) -> dict[str, Any]:
    """What differs from process to process."""
    return {
        "change": moving.change.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
