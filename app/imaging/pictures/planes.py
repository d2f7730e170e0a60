"""The three planes of a picture: where their pixels lie in the patient, in radiological convention.

The patient's right is on the left of the axial and coronal planes; anterior is on the left of the sagittal plane, as on
a workstation. All planes share one scale, so a millimetre is a millimetre everywhere.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.imaging.volume import Grid

_RIGHT_TO_LEFT: Final = (-1.0, 0.0, 0.0)
_ANTERIOR_TO_POSTERIOR: Final = (0.0, -1.0, 0.0)
_SUPERIOR_TO_INFERIOR: Final = (0.0, 0.0, -1.0)

Corner = Float64[np.ndarray, "3"]


@dataclass(frozen=True)
class Plane:
    """One plane of the picture.

    Attributes:
        title: `Axial`, `Coronal` or `Sagittal`.
        axis: RAS axis it cuts across (0 x, 1 y, 2 z).
        across_mm: RAS coordinate at which it cuts.
        grid: (rows, columns, 1); rows grow downwards, columns to the right of the picture.
        edges: Four anatomical letters: left, right, top and bottom.
    """

    title: str
    axis: int
    across_mm: float
    grid: Grid
    edges: str

    def pixel(self, place: Float64[np.ndarray, "3"]) -> tuple[int, int]:
        """(row, column) of a place in RAS mm."""
        index = np.linalg.solve(self.grid.affine, np.r_[place, 1.0])
        return round(float(index[0])), round(float(index[1]))


def box_mm(grid: Grid) -> tuple[Corner, Corner]:
    """Lowest and highest RAS coordinate of a grid's corners."""
    ends = [(0, size - 1) for size in grid.shape]
    corners = np.array([[*corner, 1] for corner in product(*ends)]) @ grid.affine[:3].T
    return corners.min(axis=0), corners.max(axis=0)


def three_planes(grid: Grid, through: Float64[np.ndarray, "3"], longest_pixels: int) -> list[Plane]:
    """Axial, coronal and sagittal plane of a grid's box through one place.

    Args:
        grid: What the picture shows.
        through: RAS mm.
        longest_pixels: Pixels along the box's longest side; sets the scale.
    """
    low, high = box_mm(grid)
    pixel_mm = max(float((high - low).max()), 1.0) / (longest_pixels - 1)
    return [
        _plane(cut, (low, high), float(through[cut.axis]), pixel_mm) for cut in (_AXIAL, _CORONAL, _SAGITTAL)
    ]


def axial_planes(box: tuple[Corner, Corner], longest_pixels: int, count: int) -> list[Plane]:
    """Axial planes of a box, the lowest first, near the middles of `count` equal parts of its height.

    They lie whole pixels apart, so that one reading of a block gives them all.

    Args:
        box: Lowest and highest RAS coordinate of what the picture shows.
        longest_pixels: Pixels along the longest side of a plane; sets the scale.
        count: How many.
    """
    low, high = box
    pixel_mm = max(float((high - low)[:2].max()), 1.0) / (longest_pixels - 1)
    middles = (np.arange(count) + 0.5) / count * (high[2] - low[2])
    heights = low[2] + np.round(middles / pixel_mm) * pixel_mm
    return [_plane(_AXIAL, (low, high), float(height), pixel_mm) for height in heights]


@dataclass(frozen=True)
class _Cut:
    """A direction of cutting: see `Plane`, and the RAS directions in which rows and columns grow."""

    title: str
    axis: int
    down: tuple[float, float, float]
    right: tuple[float, float, float]
    edges: str


_AXIAL: Final = _Cut("Axial", 2, _ANTERIOR_TO_POSTERIOR, _RIGHT_TO_LEFT, "RLAP")
_CORONAL: Final = _Cut("Coronal", 1, _SUPERIOR_TO_INFERIOR, _RIGHT_TO_LEFT, "RLSI")
_SAGITTAL: Final = _Cut("Sagittal", 0, _SUPERIOR_TO_INFERIOR, _ANTERIOR_TO_POSTERIOR, "APSI")


def _plane(cut: _Cut, box: tuple[Corner, Corner], across_mm: float, pixel_mm: float) -> Plane:
    low, high = box
    rows, columns = (int(abs(np.dot(high - low, way)) / pixel_mm) + 1 for way in (cut.down, cut.right))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = np.multiply(cut.down, pixel_mm), np.multiply(cut.right, pixel_mm)
    affine[:3, 2] = np.cross(cut.down, cut.right) * pixel_mm
    affine[:3, 3] = np.where(np.arange(3) == cut.axis, across_mm, high)
    return Plane(cut.title, cut.axis, across_mm, Grid((rows, columns, 1), affine), cut.edges)
