"""Raw voxels to network channels, inside the graph, so that training and serving cannot differ."""

import torch
from torch import Tensor, nn

from training.networks.config import Intensity

CT_WINDOWS = ((40.0, 80.0), (80.0, 200.0), (40.0, 380.0))
"""(centre, width) in HU: brain, subdural, wide."""
MR_LIMIT = 5.0
"""Standard deviations beyond which an MR voxel says no more."""


class CtWindows(nn.Module):
    """Hounsfield units [B, 1, *S] to three windows [B, 3, *S], each in [0, 1]."""

    low: Tensor
    width: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor([centre - width / 2 for centre, width in CT_WINDOWS]))
        self.register_buffer("width", torch.tensor([width for _, width in CT_WINDOWS]))

    def forward(self, image: Tensor) -> Tensor:
        """Window the image."""
        shape = (1, -1, *[1] * (image.dim() - 2))
        return ((image - self.low.view(shape)) / self.width.view(shape)).clamp(0, 1)


class MrZScore(nn.Module):
    """Raw MR [B, 1, *S] to z-scores against the bright half of the image, clipped to +-5.

    The unit of MR is the scanner's, so the result must not change when all voxels are scaled: the image is divided by
    its own mean first. Foreground is what lies above the mean, a rule that holds with and without skull and needs no
    sorting (which would not export).
    """

    def forward(self, image: Tensor) -> Tensor:
        """Normalise each image of the batch on its own; a constant image becomes zero."""
        axes = tuple(range(1, image.dim()))
        unit = image.abs().mean(axes, keepdim=True)
        image = image / torch.where(unit > 0, unit, 1.0)
        average = image.mean(axes, keepdim=True)
        inside = (image > average).to(image.dtype)
        count = inside.sum(axes, keepdim=True)
        mean = torch.where(count > 0, (image * inside).sum(axes, keepdim=True) / count.clamp(min=1), average)
        variance = ((image - mean).square() * inside).sum(axes, keepdim=True) / count.clamp(min=1)
        # A foreground of one value has no spread; 1e-3 of the image's own mean keeps noise from being blown up.
        return ((image - mean) / (variance + 1e-6).sqrt()).clamp(-MR_LIMIT, MR_LIMIT)


def make_intensity(kind: Intensity) -> nn.Module:
    """The layer for one kind of image."""
    layers: dict[Intensity, type[nn.Module]] = {
        "ct-windows": CtWindows,
        "mr-zscore": MrZScore,
        "none": nn.Identity,
    }
    return layers[kind]()
