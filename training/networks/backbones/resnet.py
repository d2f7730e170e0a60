"""ResNet-10 and ResNet-18 (arXiv:1512.03385): four stages of residual blocks; a stage ends with the ReLU of its last block."""

from torch import nn

from training.networks.backbones.stage import Stage, stem_lattice
from training.networks.config import STAGES, BackboneConfig

BLOCKS = {"resnet10": 1, "resnet18": 2}


def build(config: BackboneConfig, channels: int) -> nn.Module:
    """MONAI's residual network with basic blocks and projection shortcuts."""
    from monai.networks.nets.resnet import ResNet, ResNetBlock  # noqa: PLC0415 - see `FAMILIES`

    return ResNet(
        ResNetBlock,
        [BLOCKS[config.depth]] * STAGES,
        list(config.widths),
        spatial_dims=config.spatial_dims,
        n_input_channels=channels,
        # MONAI takes any tuple; its annotation says a tuple of one.
        conv1_t_size=config.stem_kernel,  # type: ignore[arg-type]
        conv1_t_stride=config.stem_stride,  # type: ignore[arg-type]
        no_max_pool=not config.stem_pool,
        feed_forward=False,
        bias_downsample=False,
    )


def stages(config: BackboneConfig) -> tuple[Stage, ...]:
    """Every kernel is odd and padded by half: cell o lies on voxel o * stride."""
    lattice = stem_lattice(config)
    stem: tuple[str, ...] = ("conv1", "bn1", "act")
    if config.stem_pool:
        lattice, stem = lattice.then(3, 2), (*stem, "maxpool")
    found = [Stage((*stem, "layer1"), config.widths[0], lattice)]
    for number, width in enumerate(config.widths[1:], start=2):
        lattice = lattice.then(3, 2)
        found.append(Stage((f"layer{number}",), width, lattice))
    return tuple(found)


def inner_norm(config: BackboneConfig) -> str:
    """After the first normalisation of the last block, before its ReLU, where DAFT (arXiv:2107.05990) acts."""
    return f"layer{STAGES}.{BLOCKS[config.depth] - 1}.bn1"
