"""Where the cells of a stage lie, and linear resampling between stages that keeps them there.

A convolution or pooling with an odd kernel k, padding k // 2 and stride s puts output cell o on input index o * s: the
first cell lies on the first voxel, not half a stride further in. Neither `align_corners=False` nor `True` says this, so
resampling is done here, as one small matrix product per axis, which exports to ONNX without a Resize operator.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def linear_weights(coordinates: Tensor, size: int) -> Tensor:
    """Weights that read a line of `size` samples at fractional positions, clamped to the line.

    Args:
        coordinates: [N] positions in units of the source index.
        size: Number of source samples.

    Returns:
        [N, size]; every row is non-negative and adds up to 1.
    """
    inside = coordinates.clamp(0, size - 1)[:, None]
    nodes = torch.arange(size, device=coordinates.device, dtype=coordinates.dtype)[None]
    return (1 - (inside - nodes).abs()).clamp(min=0)


def resample(maps: Tensor, coordinates: Sequence[Tensor]) -> Tensor:
    """Read maps at the product of one list of positions per axis.

    Args:
        maps: [B, C, *S].
        coordinates: For each spatial axis the positions [N_axis] in source index.

    Returns:
        [B, C, *N].
    """
    for axis, positions in enumerate(coordinates, start=2):
        weights = linear_weights(positions, maps.shape[axis])
        maps = (maps.movedim(axis, -1) @ weights.T).movedim(-1, axis)
    return maps


def to_finer_stage(
    maps: Tensor, stride: Sequence[int], shape: Sequence[int], fine_stride: Sequence[int]
) -> Tensor:
    """Bring a stage's map onto the cells of a finer stage.

    Args:
        maps: [B, C, *S] on cells at multiples of `stride` voxels.
        stride: Model-grid voxels between cells of `maps`, per axis.
        shape: Cells of the finer stage, per axis.
        fine_stride: Model-grid voxels between cells of the finer stage, per axis.

    Returns:
        [B, C, *shape].
    """
    if tuple(stride) == tuple(fine_stride):
        return maps
    coordinates = [
        torch.arange(cells, device=maps.device, dtype=maps.dtype) * (fine / coarse)
        for cells, fine, coarse in zip(shape, fine_stride, stride, strict=True)
    ]
    return resample(maps, coordinates)


def spread(maps: Tensor, shape: Sequence[int]) -> Tensor:
    """Stretch a small grid over a whole map, corner on corner.

    Args:
        maps: [B, C, *S].
        shape: Cells of the result, per axis.

    Returns:
        [B, C, *shape].
    """
    coordinates = [
        torch.linspace(0, size - 1, cells, device=maps.device, dtype=maps.dtype)
        for size, cells in zip(maps.shape[2:], shape, strict=True)
    ]
    return resample(maps, coordinates)
