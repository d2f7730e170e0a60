"""Channels-last memory: convolutions with few channels run up to four times faster in it on CPU."""

import torch
from torch import Tensor, nn

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(x: Tensor) -> Tensor:
    """The same maps [B, C, *S], or convolution weights, with channels next to each other in memory."""
    return x.contiguous(memory_format=FORMATS[x.dim()])


def store_channels_last(module: nn.Module) -> None:
    """Lay out every convolution weight of a module so, once."""
    for parameter in module.parameters():
        if parameter.dim() in FORMATS:
            parameter.data = channels_last(parameter.data)
