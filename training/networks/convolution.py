"""A convolution of images in the plane or in space."""

from collections.abc import Sequence

from torch import nn


def padded_convolution(
    channels: int, width: int, kernel: Sequence[int], stride: Sequence[int] | int = 1, *, bias: bool = True
) -> nn.Conv2d | nn.Conv3d:
    """Of as many dimensions as its kernel has, padded by half of it: odd kernels and a stride of 1 keep the size."""
    made: type[nn.Conv2d | nn.Conv3d] = nn.Conv3d if len(kernel) == 3 else nn.Conv2d  # noqa: PLR2004 - dimensions
    padding = tuple(size // 2 for size in kernel)
    # One class of either dimension: its annotation wants tuples of that very length.
    return made(channels, width, tuple(kernel), stride, padding, bias=bias)  # type: ignore[arg-type]
