"""A trained network in one file, with the configuration that made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from app.ehr.schema import Feature
from training.config import RunConfig, config_from_dict, config_to_dict
from training.networks.model import FusionNet

CHECKPOINT_FILE = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with the configuration that made it."""

    net: FusionNet
    config: RunConfig
    features: tuple[Feature, ...]
    epoch: int


def save_checkpoint(
    path: Path, net: FusionNet, config: RunConfig, features: Sequence[Feature], epoch: int
) -> None:
    """Write network and configuration in one file, atomically."""
    partial = path.with_suffix(".part")
    torch.save(
        {
            "config": config_to_dict(config),
            "features": [feature.model_dump(mode="json") for feature in features],
            "epoch": epoch,
            "state": net.state_dict(),
        },
        partial,
    )
    partial.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are unpickled (`weights_only`)."""
    tree = torch.load(path, map_location="cpu", weights_only=True)
    config = config_from_dict(tree["config"])
    features = tuple(Feature.model_validate(feature) for feature in tree["features"])
    net = FusionNet(config.model, features)
    net.load_state_dict(tree["state"])
    return Checkpoint(net=net.eval(), config=config, features=features, epoch=tree["epoch"])
