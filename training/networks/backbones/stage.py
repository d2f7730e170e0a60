"""One stage of an image network, and the stem that all families share."""

from typing import NamedTuple

from torch import nn

from training.networks.config import BackboneConfig
from training.networks.convolution import padded_convolution
from training.networks.lattice import Lattice


class Stage(NamedTuple):
    """A stage, after which a gate can stand.

    Attributes:
        modules: Paths within the network, in the order of its own forward.
        width: Channels of the stage's features.
        lattice: Where its cells lie.
    """

    modules: tuple[str, ...]
    width: int
    lattice: Lattice


def stem_lattice(config: BackboneConfig) -> Lattice:
    """The cells after the first convolution."""
    return Lattice.voxels(config.spatial_dims).then(config.stem_kernel, config.stem_stride)


def stem_convolution(config: BackboneConfig, channels: int, width: int) -> nn.Module:
    """The configured first convolution, for networks whose constructor takes none."""
    stem = padded_convolution(channels, width, config.stem_kernel, config.stem_stride, bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    return stem
