"""Augmentation of training batches on the model grid; training only, never at validation or serving."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.config import AugmentationConfig

_LEAST_STAYS = 8
"""An axis moves by no more than one part in so many of itself."""


def augment(
    image: Tensor, mask: Tensor, config: AugmentationConfig, generator: torch.Generator, fill: float
) -> tuple[Tensor, Tensor]:
    """Change a batch as a scanner or another head might have.

    Args:
        image: [B, 1, D, H, W] raw intensities on the model grid.
        mask: [B, 1, D, H, W] share of each voxel inside the lesion; moves with the image.
        config: How far each change may go.
        generator: Source of randomness.
        fill: Value outside the field of view.

    Returns:
        Image and mask of the same shapes.
    """
    flip = torch.rand(len(image), generator=generator) < config.flip_probability
    image = torch.where(flip[:, None, None, None, None], image.flip(-1), image)
    mask = torch.where(flip[:, None, None, None, None], mask.flip(-1), mask)
    if config.rotation_degrees or config.scale:
        image, mask = _turn(image, mask, config, generator, fill)
    if config.shift_voxels:
        image, mask = _shift(image, mask, config.shift_voxels, generator, fill)
    if config.intensity:
        image = image * (1 + config.intensity * _uniform(len(image), generator))
    if config.noise:
        image = image + config.noise * torch.randn(image.shape, generator=generator)
    return image, mask


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    """[B, 1, 1, 1, 1] in [-1, 1)."""
    return (2 * torch.rand(count, generator=generator) - 1)[:, None, None, None, None]


def _shift(
    image: Tensor, mask: Tensor, most: int, generator: torch.Generator, fill: float
) -> tuple[Tensor, Tensor]:
    """Move the whole batch by one random offset; what enters is `fill` (one offset per batch keeps it a slice).

    No axis moves by more than an eighth of itself: of an image of three slices none is pushed out.
    """
    drawn = torch.randint(-most, most + 1, (3,), generator=generator).tolist()
    bounds = (size // _LEAST_STAYS for size in image.shape[2:])
    offsets = [max(-bound, min(bound, offset)) for offset, bound in zip(drawn, bounds, strict=True)]
    pad = [
        max(0, offset) if side == 0 else max(0, -offset) for offset in reversed(offsets) for side in (0, 1)
    ]
    inner = tuple(
        slice(max(0, -offset), size + max(0, -offset))
        for offset, size in zip(offsets, image.shape[2:], strict=True)
    )
    where = (slice(None), slice(None), *inner)
    return functional.pad(image, pad, value=fill)[where], functional.pad(mask, pad)[where]


def _turn(
    image: Tensor, mask: Tensor, config: AugmentationConfig, generator: torch.Generator, fill: float
) -> tuple[Tensor, Tensor]:
    """Rotate about the vertical axis and scale, one draw per case; a few slices are scaled in their planes alone, and stay apart.

    `affine_grid` works in coordinates normalised to [-1, 1] per axis; the factors H/W bring the in-plane rotation to
    voxels of equal size, which in-plane voxels of a model grid have.
    """
    angle = _uniform(len(image), generator).flatten() * math.radians(config.rotation_degrees)
    size = 1 + config.scale * _uniform(len(image), generator).flatten()
    depth, height, width = image.shape[2:]
    theta = torch.zeros(len(image), 3, 4)
    theta[:, 0, 0] = torch.cos(angle) / size
    theta[:, 0, 1] = -torch.sin(angle) * height / width / size
    theta[:, 1, 0] = torch.sin(angle) * width / height / size
    theta[:, 1, 1] = torch.cos(angle) / size
    theta[:, 2, 2] = 1 / size if depth >= _LEAST_STAYS else 1.0
    grid = functional.affine_grid(theta, list(image.shape), align_corners=False)
    turned = functional.grid_sample(image - fill, grid, align_corners=False) + fill
    return turned, functional.grid_sample(mask, grid, align_corners=False)
