"""Where everything lies in the overview picture: three planes side by side, a montage of axial slices below."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from app.imaging.pictures.drawing import MARGIN
from app.imaging.pictures.planes import Plane, axial_planes, box_mm, three_planes
from app.imaging.volume import Grid

LONGEST_PIXELS: Final = 420
TILE_PIXELS: Final = 150
"""Longest side of a slice in the montage."""
TILE_GAP: Final = 8
MONTAGE_ROWS: Final = 3
AROUND_MM: Final = 15.0
"""What the montage shows of the image around the model's grid."""

Place = Float64[np.ndarray, "3"]
Box = tuple[Place, Place]


@dataclass(frozen=True)
class Panel:
    """A plane and where it is drawn.

    Attributes:
        plane: What is shown.
        left: First column on the canvas.
        top: First row on the canvas.
    """

    plane: Plane
    left: int
    top: int

    def on_canvas(self, place: Place) -> tuple[int, int]:
        """(x, y) on the canvas of a place in RAS mm."""
        row, column = self.plane.pixel(place)
        return self.left + column, self.top + row


@dataclass(frozen=True)
class Layout:
    """Where everything lies.

    Attributes:
        planes: Axial, coronal, sagittal, side by side.
        tiles: The montage below them, the lowest slice first.
        size: (width, height) of the canvas.
    """

    planes: list[Panel]
    tiles: list[Panel]
    size: tuple[int, int]


def lay_out(grid: Grid, centre: Place, model_grid: Grid | None) -> Layout:
    """Arranges the picture of a grid.

    Args:
        grid: The patient's.
        centre: RAS mm where the three planes meet; brought into the grid's box.
        model_grid: The montage shows its surroundings; without it, all of the image.
    """
    planes = three_planes(grid, np.clip(centre, *box_mm(grid)), LONGEST_PIXELS)
    widths = [plane.grid.shape[1] for plane in planes]
    tallest = max(plane.grid.shape[0] for plane in planes)
    lefts = MARGIN + np.cumsum([0, *(width + MARGIN for width in widths)])
    upper = [
        Panel(plane, int(left), MARGIN + (tallest - plane.grid.shape[0]) // 2)
        for plane, left in zip(planes, lefts[:-1], strict=True)
    ]
    tiles = _montage(_montage_box(grid, model_grid), int(lefts[-1]) - 2 * MARGIN, tallest + 3 * MARGIN)
    bottom = tiles[-1].top + tiles[-1].plane.grid.shape[0]
    return Layout(upper, tiles, (int(lefts[-1]), bottom + 2 * MARGIN))


def faces(grid: Grid) -> Box:
    """Lowest and highest RAS coordinate of the outer faces of a grid's voxels."""
    half = np.abs(grid.affine[:3, :3]).sum(axis=1) / 2
    low, high = box_mm(grid)
    return low - half, high + half


def _montage_box(grid: Grid, model_grid: Grid | None) -> Box:
    low, high = box_mm(grid)
    if model_grid is None:
        return low, high
    model_low, model_high = faces(model_grid)
    around = np.maximum(low, model_low - AROUND_MM), np.minimum(high, model_high + AROUND_MM)
    return around if (around[0] < around[1]).all() else (low, high)


def _montage(box: Box, width: int, top: int) -> list[Panel]:
    """Rows of axial planes that fill a width."""
    _, columns, _ = axial_planes(box, TILE_PIXELS, 1)[0].grid.shape
    in_row = max((width + TILE_GAP) // (columns + TILE_GAP), 1)
    step = (width - columns) // max(in_row - 1, 1)
    panels = []
    for number, plane in enumerate(axial_planes(box, TILE_PIXELS, MONTAGE_ROWS * in_row)):
        row, column = divmod(number, in_row)
        panels.append(Panel(plane, MARGIN + column * step, top + row * (plane.grid.shape[0] + TILE_GAP)))
    return panels
