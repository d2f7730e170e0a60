"""The image network: MONAI's residual network, unedited, walked stage by stage so that gates can stand between."""

import math
from collections.abc import Callable

from monai.networks.nets.resnet import ResNet, ResNetBlock
from torch import Tensor, nn

from training.networks.config import STAGES, BackboneConfig
from training.networks.layout import channels_last, store_channels_last

BLOCKS = {"resnet10": 1, "resnet18": 2}
GROUPS = 8
Modulate = Callable[[int, Tensor], Tensor]
"""(stage 1..4, features [B, C, *S] after the stage's last ReLU) -> features of the same shape."""


class Backbone(nn.Module):
    """[B, channels, *S0] to the features of the last stage, with a call-back after every stage.

    The call-back is the seam where attention attaches (MMA today; another modulation is another callable).
    """

    def __init__(self, config: BackboneConfig, channels: int) -> None:
        super().__init__()
        self.config = config
        net = ResNet(
            ResNetBlock,
            [BLOCKS[config.depth]] * STAGES,
            list(config.widths),
            spatial_dims=config.spatial_dims,
            n_input_channels=channels,
            # MONAI takes any tuple; its annotation says a tuple of one.
            conv1_t_size=config.stem_kernel,  # type: ignore[arg-type]
            conv1_t_stride=config.stem_stride,  # type: ignore[arg-type]
            no_max_pool=True,
            feed_forward=False,
            bias_downsample=False,
        )
        # MONAI's `norm` argument reaches the stem alone (1.6), hence the exchange after construction.
        self.net = _with_group_norm(net) if config.norm == "group" else net
        store_channels_last(self.net)

    def forward(self, image: Tensor, modulate: Modulate) -> Tensor:
        """Features of the last stage.

        Args:
            image: [B, channels, *S0] normalised intensities.
            modulate: Called after every stage; what it returns goes on.

        Returns:
            [B, widths[-1], *S4].
        """
        features = channels_last(image)
        for name in ("conv1", "bn1", "act"):
            features = self.net.get_submodule(name)(features)
        for stage in range(1, STAGES + 1):
            features = modulate(stage, self.net.get_submodule(f"layer{stage}")(features))
        return features

    def stride(self, stage: int) -> tuple[int, ...]:
        """Model-grid voxels between neighbouring cells of a stage; cell 0 lies on voxel 0 (see `lattice`)."""
        return tuple(step * 2 ** (stage - 1) for step in self.config.stem_stride)


def _with_group_norm(net: nn.Module) -> nn.Module:
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d | nn.BatchNorm3d):
            channels = child.num_features
            setattr(net, name, nn.GroupNorm(math.gcd(GROUPS, channels), channels))
        else:
            _with_group_norm(child)
    return net
