"""EfficientNet-B0 (arXiv:1905.11946): seven stacks of inverted bottlenecks; a stage is what lies between two halvings.

Its "same" padding depends on the image size announced to the constructor. An announced size that is odd after every halving
pads all kernels by half, and so keeps cell o on voxel o * stride for images of any size.
"""

from torch import nn

from training.networks.backbones.stage import Stage, stem_convolution, stem_lattice
from training.networks.config import BackboneConfig

STACKS = (
    "r1_k3_s11_e1_i32_o16_se0.25",
    "r2_k3_s22_e6_i16_o24_se0.25",
    "r2_k5_s22_e6_i24_o40_se0.25",
    "r3_k3_s22_e6_i40_o80_se0.25",
    "r3_k5_s11_e6_i80_o112_se0.25",
    "r4_k5_s22_e6_i112_o192_se0.25",
    "r1_k3_s11_e6_i192_o320_se0.25",
)
ANNOUNCED_SIZE = 7 * 32 + 1
"""224 + 1: halved to 113, 57, 29 and 15, all odd."""
STEM_WIDTH, HEAD_WIDTH = 32, 1280
DIVISOR = 8
# Published for 350 epochs of ImageNet, momentum 0.01 leaves the running statistics of a few hundred steps near their start.
NORM = ("batch", {"eps": 1e-3, "momentum": 0.1})


def build(config: BackboneConfig, channels: int) -> nn.Module:
    """MONAI's EfficientNet with the configured first convolution and no classifier."""
    from monai.networks.nets.efficientnet import EfficientNet  # noqa: PLC0415 - see `FAMILIES`

    net = EfficientNet(
        list(STACKS),
        spatial_dims=config.spatial_dims,
        in_channels=channels,
        num_classes=1,
        width_coefficient=config.width_multiplier,
        image_size=ANNOUNCED_SIZE,
        norm=NORM,
    )
    net.set_swish(
        memory_efficient=False
    )  # the other one is an autograd function of its own and does not export
    net.add_module("_conv_stem", stem_convolution(config, channels, _width(STEM_WIDTH, config)))
    net.add_module("_conv_stem_padding", nn.Identity())
    net.add_module("_fc", nn.Identity())
    return net


def stages(config: BackboneConfig) -> tuple[Stage, ...]:
    """Bottlenecks end without an activation; the last stage ends with the swish of the 1,280 channels before pooling."""
    stem, head = ("_conv_stem", "_bn0", "_swish"), ("_conv_head", "_bn1", "_swish")
    one = stem_lattice(config).then(3, 2)
    two = one.then(5, 2)
    three = two.then(3, 2)
    return (
        Stage((*stem, "_blocks.0", "_blocks.1"), _width(24, config), one),
        Stage(("_blocks.2",), _width(40, config), two),
        Stage(("_blocks.3", "_blocks.4"), _width(112, config), three),
        Stage(("_blocks.5", "_blocks.6", *head), _width(HEAD_WIDTH, config), three.then(5, 2)),
    )


def inner_norm(config: BackboneConfig) -> str:  # noqa: ARG001 - one signature for all families
    """The last normalisation, of the 1,280 channels before the last swish; the blocks' own feed linear bottlenecks."""
    return "_bn1"


def _width(published: int, config: BackboneConfig) -> int:
    """Scaled channels, rounded to a multiple of 8 and never down by more than a tenth: the published rule."""
    scaled = published * config.width_multiplier
    width = max(DIVISOR, int(scaled + DIVISOR / 2) // DIVISOR * DIVISOR)
    return width + DIVISOR if width < 0.9 * scaled else width
