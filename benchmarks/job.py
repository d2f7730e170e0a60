"""What a contender is asked, in fields that JSON can carry to a process of its own, and what it answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from app.imaging.volume import Grid


@dataclass(frozen=True)
class Job:
    """One image, and the lattice it is wanted on.

    Attributes:
        upload: As a client sends it: DICOM files, one zip of them, or one NIfTI. What we are given.
        unpacked: One NIfTI, or a folder that holds one series and nothing else. What a peer is given.
        model_grid: Fields of `app.imaging.model_grid.ModelGrid`.
        affine: Where we placed that lattice: index (d, h, w) to RAS mm. For contenders that take a grid.
    """

    upload: tuple[str, ...]
    unpacked: str
    model_grid: dict[str, Any]
    affine: tuple[tuple[float, ...], ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W) of the tensor."""
        d, h, w = self.model_grid["shape"]
        return d, h, w

    @property
    def spacing_xyz_mm(self) -> tuple[float, float, float]:
        """Millimetres along x, y, z: the order in which the peers name axes."""
        d, h, w = self.model_grid["spacing_mm"]
        return w, h, d

    @property
    def fill(self) -> float:
        """Value outside the image."""
        return float(self.model_grid["fill"])

    @property
    def grid(self) -> Grid:
        """The placed lattice."""
        return Grid(self.shape, np.array(self.affine, np.float64))


@dataclass(frozen=True)
class Answer:
    """A contender's result.

    Attributes:
        tensor: Contiguous, ready for a network; None from a contender that only converts files.
        affine: Index (d, h, w) to RAS mm.
        decoded_bytes: Of the voxels as they were read.
    """

    tensor: Float32[np.ndarray, "D H W"] | None = None
    affine: Float64[np.ndarray, "4 4"] | None = None
    decoded_bytes: int | None = None


def from_xyz(array: Float32[np.ndarray, "X Y Z"], affine: Float64[np.ndarray, "4 4"]) -> Answer:
    """The answer of a peer whose arrays are ordered (x, y, z), in the network's order (z, y, x)."""
    tensor = np.ascontiguousarray(array.transpose(2, 1, 0), np.float32)
    return Answer(tensor, np.asarray(affine, np.float64)[:, [2, 1, 0, 3]])
