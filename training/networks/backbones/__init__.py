"""The image networks, one file per family: how MONAI builds it, and what its stages are.

A family is a module with three functions (`Family`). It describes the network as data, the modules of each stage in the order in
which the network's own forward calls them; `training.networks.backbone.Backbone` does the walking. To add one, write
its file and give it a name in `FAMILIES` and in `BackboneConfig.depth`.
"""

from collections.abc import Mapping
from typing import Protocol

from torch import nn

from training.networks.backbones import densenet, efficientnet, resnet
from training.networks.backbones.stage import Stage
from training.networks.config import BackboneConfig, BackboneName

__all__ = ["FAMILIES", "Family", "Stage"]


class Family(Protocol):
    """What a file of this folder offers."""

    def build(self, config: BackboneConfig, channels: int) -> nn.Module:
        """MONAI's network for images of so many channels, without its classifier."""

    def stages(self, config: BackboneConfig) -> tuple[Stage, ...]:
        """Its four stages."""

    def inner_norm(self, config: BackboneConfig) -> str:
        """Path of the normalisation after which FiLM and DAFT act."""


FAMILIES: Mapping[BackboneName, Family] = {
    "resnet10": resnet,
    "resnet18": resnet,
    "densenet121": densenet,
    "efficientnet-b0": efficientnet,
}
"""MONAI takes seconds to load, so its networks are imported where one is built: a row without one needs none."""
