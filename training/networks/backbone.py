"""The image network: one of MONAI's, unedited, walked stage by stage so that gates can stand between."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from torch import Tensor, nn

from training.networks.backbones import FAMILIES, Stage
from training.networks.config import BackboneConfig
from training.networks.layout import channels_last, store_channels_last
from training.networks.precision import full_precision

GROUPS = 8
Modulate = Callable[[int, Tensor], Tensor]
"""(stage 1..4, features [B, C, *S] of the stage) -> features of the same shape."""


class Backbone(nn.Module):
    """[B, channels, *S0] to the features of the last stage, with a call-back after every stage.

    Under autocast on a CPU a stage with fewer cells along an axis than its kernels are wide stays in float32: oneDNN (of torch 2.13) leaves
    parts of the gradient of such a kernel's weights unwritten in bfloat16, whatever lay in that memory, and for wide kernels writes beyond it.

    The call-back is the seam where attention attaches (MMA, CBAM, or another callable). What acts inside a block (FiLM,
    DAFT) hooks `inner_norm`.

    Attributes:
        net: MONAI's module; `net(image)` is the mean over positions of what `forward` returns.
        stages: Its stages: modules, channels, and where their cells lie.
    """

    def __init__(self, config: BackboneConfig, channels: int) -> None:
        super().__init__()
        self.config = config
        family = FAMILIES[config.depth]
        self.stages: tuple[Stage, ...] = family.stages(config)
        net = family.build(config, channels)
        # MONAI's `norm` argument reaches the residual network's stem alone (1.6), hence the exchange after construction.
        self.net = _with_group_norm(net) if config.norm == "group" else net
        store_channels_last(self.net)

    def forward(self, image: Tensor, modulate: Modulate) -> Tensor:
        """Features of the last stage.

        Args:
            image: [B, channels, *S0] normalised intensities.
            modulate: Called after every stage; what it returns goes on.

        Returns:
            [B, stages[-1].width, *S4].

        Raises:
            ValueError: The image is so small that the last stage would have no cell.
        """
        if min(self.stages[-1].lattice.cells(image.shape[2:])) < 1:
            raise ValueError(
                f"{self.config.depth} leaves no cell of an image of {tuple(image.shape[2:])} voxels; "
                "expected a larger grid, a smaller stem_stride or another backbone"
            )
        features = channels_last(image)
        for number, stage in enumerate(self.stages, start=1):
            features = modulate(number, self._pass(stage, features, image.shape[2:]))
        return features

    def _pass(self, stage: Stage, features: Tensor, shape: Sequence[int]) -> Tensor:
        """Features after a stage of an image of so many voxels."""
        widest = zip(*(each.kernel_size for each in self._convolutions(stage)), strict=True)
        narrow = any(
            cells < max(sizes) for cells, sizes in zip(stage.lattice.cells(shape), widest, strict=True)
        )
        exactly = narrow and features.device.type == "cpu"
        with full_precision(features) if exactly else nullcontext():
            # Outside autocast this changes nothing.
            features = features.float() if exactly else features
            for name in stage.modules:
                features = self.net.get_submodule(name)(features)
        return features

    def _convolutions(self, stage: Stage) -> Iterator[nn.Conv2d | nn.Conv3d]:
        for name in stage.modules:
            for module in self.net.get_submodule(name).modules():
                if isinstance(module, nn.Conv2d | nn.Conv3d):
                    yield module

    @property
    def inner_norm(self) -> nn.Module:
        """The normalisation after which FiLM and DAFT act, followed by an activation; see the family's `inner_norm`."""
        return self.net.get_submodule(FAMILIES[self.config.depth].inner_norm(self.config))

    def without_inner_affine(self) -> int:
        """Take the scale and shift of `inner_norm` away, for a modulation that brings its own.

        Returns:
            Its number of channels.
        """
        norm = self.inner_norm
        channels = len(norm.get_parameter("weight"))
        norm.register_parameter("weight", None)
        norm.register_parameter("bias", None)
        return channels


def _with_group_norm(net: nn.Module) -> nn.Module:
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d | nn.BatchNorm3d):
            channels = child.num_features
            setattr(net, name, nn.GroupNorm(math.gcd(GROUPS, channels), channels))
        else:
            _with_group_norm(child)
    return net
