"""Where the cells of a stage lie, and linear resampling between stages that keeps them there.

A convolution or pooling of kernel k, stride s and padding p along an axis puts output cell o on input index
s * o + (k - 1) / 2 - p. With an odd kernel padded by half that is s * o: the first cell lies on the first voxel, not half a
stride further in. An even pooling moves its cells by half an input cell. Neither `align_corners=False` nor `True` says
this, so resampling is done here, as one small matrix product per axis, which exports to ONNX without a Resize operator.
The composition over layers is that of Araujo, Norris and Sim, doi:10.23915/distill.00021.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Window(NamedTuple):
    """A layer that looks through a window, per axis.

    Attributes:
        kernel: Extent.
        stride: Step.
        padding: Cells added on either side.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]


@dataclass(frozen=True)
class Lattice:
    """Cells of a map among the voxels of the model grid: cell o lies on voxel stride * o + offset along each axis.

    Attributes:
        stride: Voxels between neighbouring cells, per axis.
        offset: Voxel on which cell 0 lies, per axis; may be a half.
        windows: The layers that led here; they decide how many cells an image has.
    """

    stride: tuple[int, ...]
    offset: tuple[float, ...]
    windows: tuple[Window, ...] = ()

    @classmethod
    def voxels(cls, axes: int) -> "Lattice":
        """The model grid itself."""
        return cls((1,) * axes, (0.0,) * axes)

    def then(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
    ) -> "Lattice":
        """The cells after one more convolution or pooling; without `padding`, half of the kernel."""
        axes = len(self.stride)
        kernels, strides = _per_axis(kernel, axes), _per_axis(stride, axes)
        paddings = tuple(k // 2 for k in kernels) if padding is None else _per_axis(padding, axes)
        shifts = [(k - 1) / 2 - p for k, p in zip(kernels, paddings, strict=True)]
        return Lattice(
            tuple(step * s for step, s in zip(self.stride, strides, strict=True)),
            tuple(
                at + step * shift for at, step, shift in zip(self.offset, self.stride, shifts, strict=True)
            ),
            (*self.windows, Window(kernels, strides, paddings)),
        )

    def per_slice(self) -> "Lattice":
        """The same cells in every slice of a volume: an axis of voxels in front."""
        windows = tuple(Window((1, *w.kernel), (1, *w.stride), (0, *w.padding)) for w in self.windows)
        return Lattice((1, *self.stride), (0.0, *self.offset), windows)

    def cells(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Number of cells per axis of an image of so many voxels; 0 where some window does not fit in."""
        counts = tuple(shape)
        for window in self.windows:
            counts = tuple(_positions(*sizes) for sizes in zip(counts, *window, strict=True))
        return counts


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


def to_finer_stage(maps: Tensor, lattice: Lattice, shape: Sequence[int], fine: Lattice) -> Tensor:
    """Bring a stage's map onto the cells of a finer stage.

    Args:
        maps: [B, C, *S].
        lattice: Where the cells of `maps` lie.
        shape: Cells of the finer stage, per axis.
        fine: Where the cells of the finer stage lie.

    Returns:
        [B, C, *shape].
    """
    if (lattice.stride, lattice.offset) == (fine.stride, fine.offset):
        return maps
    coordinates = [
        (torch.arange(cells, device=maps.device, dtype=maps.dtype) * step + (at - start)) / coarse
        for cells, step, at, coarse, start in zip(
            shape, fine.stride, fine.offset, lattice.stride, lattice.offset, strict=True
        )
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


def _positions(cells: int, kernel: int, stride: int, padding: int) -> int:
    return max(0, (cells + 2 * padding - kernel) // stride + 1) if cells else 0


def _per_axis(number: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (number,) * axes if isinstance(number, int) else tuple(number)
