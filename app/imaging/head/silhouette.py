"""The body's outline as seen from its axis: how far tissue reaches, by height and direction.

A head is star-shaped about the axis through its centre, so the radius of its outermost tissue in cells of 10 mm of
height and 15 degrees describes it well, and does so whatever lies inside: skull that is dark in MR, ventricles, sinuses.
All is relative to the patient (RAS), so storage order, flips and spacing do not matter.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int

from app.imaging.head.find import Head
from app.imaging.volume import Volume

HEIGHT_MM: Final = 10.0
SECTORS: Final = 24
HEIGHTS: Final = 16
"""The outline ends 160 mm below the top: skull base and face; what lies below may be anything."""
WALL: Final = slice(3, 9)
"""Heights, 30 to 90 mm below the top, in which the wall of an adult braincase is steep, above ears and orbits."""


@dataclass(frozen=True)
class Silhouette:
    """The outline, and the coarse values of its heights placed relative to it.

    Attributes:
        radius_mm: Outermost tissue by height (from the top down) and direction; 0 where there is none.
        values: HU or the scanner's unit, of every coarse voxel that lies in one of the heights.
        cell: Its cell, `height * SECTORS + sector`.
        inward_mm: How far inside the outline it lies; negative outside.
        body: Whether it belongs to the largest body.
        voxel_ml: Millilitres for which it stands.
    """

    radius_mm: Float32[np.ndarray, "heights sectors"]
    values: Float32[np.ndarray, " n"]
    cell: Int[np.ndarray, " n"]
    inward_mm: Float32[np.ndarray, " n"]
    body: Bool[np.ndarray, " n"]
    voxel_ml: float

    @property
    def height(self) -> Int[np.ndarray, " n"]:
        """Index of every voxel's height."""
        return self.cell // SECTORS

    @property
    def in_wall(self) -> Bool[np.ndarray, " n"]:
        """Voxels in the heights of the steep wall."""
        height = self.height
        return np.asarray((height >= WALL.start) & (height < WALL.stop))

    def profile_mm(self) -> Float32[np.ndarray, " m"]:
        """Median radius of every height that holds tissue, from the top down; a table or an ear does not change it."""
        filled = self.radius_mm[(self.radius_mm > 0).any(axis=1)]
        return np.asarray(np.median(filled, axis=1))

    def circumference_mm(self) -> float:
        """Around the widest height of the wall: the circle of equal area."""
        return float(2 * np.pi * np.sqrt(np.square(self.radius_mm[WALL]).mean(axis=1).max()))

    def share_of_wall(self, voxels: Bool[np.ndarray, " n"]) -> float:
        """Share of the wall's cells that hold at least one of some voxels; 1 where no wall lies in the image."""
        held = np.zeros(HEIGHTS * SECTORS, np.bool_)
        held[self.cell[voxels]] = True
        wall = self.radius_mm[WALL] > 0
        return float(held.reshape(HEIGHTS, SECTORS)[WALL][wall].mean()) if wall.any() else 1.0


def silhouette(volume: Volume, head: Head) -> Silhouette:
    """Measures the outline of a head that was found."""
    down = head.below_vertex_mm(volume) / np.float32(HEIGHT_MM)
    within = (down >= 0) & (down < HEIGHTS)
    right = head.coarse.coordinate(volume, 0)[within] - np.float32(head.centre_mm[0])
    anterior = head.coarse.coordinate(volume, 1)[within] - np.float32(head.centre_mm[1])
    turn = np.arctan2(anterior, right) / np.float32(2 * np.pi) + np.float32(0.5)
    sector = (turn * SECTORS).astype(np.intp)
    sector[sector == SECTORS] = 0  # a full turn
    cell = down[within].astype(np.intp) * SECTORS + sector
    # Not `hypot`: lengths of a head overflow nothing, and it takes five times as long.
    radius, body = np.sqrt(right * right + anterior * anterior), head.mask[within]
    outline = np.zeros(HEIGHTS * SECTORS, np.float32)
    np.maximum.at(outline, cell[body], radius[body])
    return Silhouette(
        radius_mm=outline.reshape(HEIGHTS, SECTORS),
        values=head.coarse.values[within],
        cell=cell,
        inward_mm=outline[cell] - radius,
        body=body,
        voxel_ml=head.coarse.voxel_ml,
    )
