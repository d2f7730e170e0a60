"""DenseNet-121 (arXiv:1608.06993): four dense blocks; a stage ends with the normalisation and ReLU that follow its block.

The transitions average pairs of cells, so each moves the next stage's cells by half a cell of the stage before.
"""

from torch import nn

from training.networks.backbones.stage import Stage, stem_convolution, stem_lattice
from training.networks.config import BackboneConfig

LAYERS = (6, 12, 24, 16)
GROWTH = 32


def build(config: BackboneConfig, channels: int) -> nn.Module:
    """MONAI's DenseNet with the configured first convolution and no classifier."""
    from monai.networks.nets.densenet import DenseNet  # noqa: PLC0415 - see `FAMILIES`

    growth = _growth(config)
    net = DenseNet(
        config.spatial_dims, channels, 1, init_features=2 * growth, growth_rate=growth, block_config=LAYERS
    )
    net.features.conv0 = stem_convolution(config, channels, 2 * growth)
    net.class_layers.out = nn.Identity()
    return net


def stages(config: BackboneConfig) -> tuple[Stage, ...]:
    """The gate stands after the ReLU of each transition, before its convolution and pooling."""
    lattice, growth = stem_lattice(config).then(3, 2), _growth(config)
    before: tuple[str, ...] = tuple(f"features.{name}" for name in ("conv0", "norm0", "relu0", "pool0"))
    found, width = [], 2 * growth
    for number, layers in enumerate(LAYERS, start=1):
        width += layers * growth
        transition, last = f"features.transition{number}", number == len(LAYERS)
        after = (
            ("features.norm5", "class_layers.relu") if last else (f"{transition}.norm", f"{transition}.relu")
        )
        found.append(Stage((*before, f"features.denseblock{number}", *after), width, lattice))
        before, width, lattice = (
            (f"{transition}.conv", f"{transition}.pool"),
            width // 2,
            lattice.then(2, 2, 0),
        )
    return tuple(found)


def inner_norm(config: BackboneConfig) -> str:  # noqa: ARG001 - one signature for all families
    """The last normalisation: a dense layer's own would reach 32 of 1,024 channels, too few for a fair rival."""
    return "features.norm5"


def _growth(config: BackboneConfig) -> int:
    return max(1, round(GROWTH * config.width_multiplier))
