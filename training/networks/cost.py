"""What a row of the model table costs: parameters, and multiplications per case."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from app.ehr.schema import Feature
from training.networks.config import ModelConfig
from training.networks.model import FusionNet


class Cost(NamedTuple):
    """Size of a network.

    Attributes:
        parameters: Numbers that training moves.
        macs: Multiply-accumulate operations of the convolutions and matrix products for one case.
    """

    parameters: int
    macs: int


def cost(config: ModelConfig, features: Sequence[Feature], shape: tuple[int, int, int]) -> Cost:
    """Count a network's parameters and its work on one image of (D, H, W) voxels, by running it once."""
    net = FusionNet(config, features).eval()
    parameters = net.trained_numbers
    # Without gradients by property, not by context: the counter hooks what requires them.
    net.requires_grad_(requires_grad=False)
    record = torch.zeros(1, len(features))
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, *shape), record, record)
    return Cost(parameters, counter.get_total_flops() // 2)
