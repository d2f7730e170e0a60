"""The lattice a CT phantom is computed on: coarse nodes inside every slice, interpolated to the slice's pixels.

A depth function (millimetres below a surface, positive inside) is smooth, so nodes 4 mm apart hold it and a cubic
interpolation brings it to the pixels; only the edge, made after that, is sharp. Every node is evaluated at two heights
inside the slice: their difference says how obliquely the surface crosses the slice, and with it the share of tissue
that a slice of finite thickness averages (partial volume), without supersampling.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from training.phantoms.ct.noise import Noise, Waves
from training.phantoms.ct.shapes import Point, Points, Region
from training.phantoms.ct.slice_lattice import SliceLattice
from training.phantoms.scanner import Acquisition

Field = Float32[np.ndarray, "..."]
Patch = tuple[slice, slice]
WHOLE: Patch = (slice(None), slice(None))
NODE_STEP_MM = 4.0
HEAD_BOX_MM = ((-104.0, 104.0), (-132.0, 122.0))
"""Where a head with its ears, nose and neck can be, in x and y around the head frame's origin."""
FARTHEST_EDGE = 6.0
TAPS = 4
UPPER, LOWER = 0.25, -0.25
"""The two heights of a node, in slice thicknesses."""


@dataclass(frozen=True)
class Raster:
    """Nodes of the slices in the head frame, and the way from nodes to pixels.

    Attributes:
        origins: [K, 2, 3] head frame mm of the first node of every slice at its two heights (lower, upper).
        along_i: [A, 3] head frame mm from the first node to the nodes along i.
        along_j: [B, 3] head frame mm from the first node to the nodes along j.
        to_rows: [I, A] cubic weights from nodes to the pixels of the window along i.
        to_columns: [B, J] cubic weights from nodes to the pixels of the window along j.
        window: The part of the full matrix that is computed; outside it is air.
        lattice: Voxels of the window in the world.
        to_world: Head frame mm to world mm.
        thickness_mm: Of the slices.
        blur_mm: Half the width that pixels and reconstruction kernel give to a sharp edge.
    """

    origins: Float64[np.ndarray, "K 2 3"]
    along_i: Float64[np.ndarray, "A 3"]
    along_j: Float64[np.ndarray, "B 3"]
    to_rows: Float32[np.ndarray, "I A"]
    to_columns: Float32[np.ndarray, "B J"]
    window: tuple[slice, slice]
    lattice: SliceLattice
    to_world: Float64[np.ndarray, "4 4"]
    thickness_mm: float
    blur_mm: float

    @classmethod
    def of(cls, acquisition: Acquisition) -> "Raster":
        """Nodes that cover the head in every slice of the acquisition."""
        i_window, j_window = _window(acquisition)
        step = NODE_STEP_MM / acquisition.pixel_spacing_mm
        i_nodes, j_nodes = _nodes(i_window, step), _nodes(j_window, step)
        origins, along_i, along_j = _head_coordinates(acquisition, i_nodes, j_nodes)
        return cls(
            origins=origins,
            along_i=along_i,
            along_j=along_j,
            to_rows=cubic_weights(i_nodes, np.arange(i_window.start, i_window.stop)),
            to_columns=cubic_weights(j_nodes, np.arange(j_window.start, j_window.stop)).T.copy(),
            window=(i_window, j_window),
            lattice=SliceLattice(
                acquisition.step_i,
                acquisition.step_j,
                acquisition.slice_origins
                + i_window.start * acquisition.step_i
                + j_window.start * acquisition.step_j,
                (
                    i_window.stop - i_window.start,
                    j_window.stop - j_window.start,
                    len(acquisition.slice_centres_mm),
                ),
            ),
            to_world=acquisition.head_to_world,
            thickness_mm=acquisition.slice_thickness_mm,
            blur_mm=0.5 * (acquisition.pixel_spacing_mm + 0.4 * acquisition.blur_mm),
        )

    @property
    def points(self) -> Points:
        """All nodes, [K, 2, A, B] for slice, height, node along i, node along j."""
        plane = self.along_i[:, None] + self.along_j[None, :]
        return Points(
            *(
                np.asarray(self.origins[..., None, None, axis] + plane[..., axis], np.float32)
                for axis in range(3)
            )
        )

    def world(self, head: Point) -> Float64[np.ndarray, "3"]:
        """World mm of a point of the head frame."""
        return np.asarray(self.to_world[:3, :3] @ np.asarray(head) + self.to_world[:3, 3])

    def noise(self, rng: np.random.Generator, wavelength_mm: float) -> Field:
        """Smooth noise of unit variance at all nodes."""
        waves = Waves.draw(rng, wavelength_mm)
        field = waves.on_lattice(self.origins.reshape(-1, 3), self.along_i, self.along_j)
        return field.reshape(*self.origins.shape[:2], *field.shape[1:])

    def noise_in(self, region: Region, rng: np.random.Generator) -> Noise:
        """Smooth noise at a part of the nodes."""
        return lambda wavelength_mm: region.take(self.noise(rng, wavelength_mm))

    def pixels(self, nodes: Float32[np.ndarray, "A B"], patch: Patch = WHOLE) -> Float32[np.ndarray, "i j"]:
        """One slice of a smooth field at the pixels of a patch of the window."""
        return np.asarray(self.to_rows[patch[0]] @ nodes @ self.to_columns[:, patch[1]], np.float32)

    def patch_of(self, nodes: Bool[np.ndarray, "A B"]) -> Patch:
        """The patch of the window that lies within a node of the given nodes."""
        rows = np.any(self.to_rows[:, np.any(nodes, axis=1)], axis=1)
        columns = np.any(self.to_columns[np.any(nodes, axis=0)], axis=0)
        return _extent(np.asarray(rows)), _extent(np.asarray(columns))

    def middle(self, field: Field) -> Float32[np.ndarray, "K A B"]:
        """The field at the middle of the slices."""
        return np.asarray(np.float32(0.5) * (field[:, 0] + field[:, 1]), np.float32)

    def edge(self, depth: Field) -> Float32[np.ndarray, "K A B"]:
        """Depth in units of the edge's width: -0.5 fully outside, 0.5 fully inside, at every node."""
        across = depth[:, 1] - depth[:, 0]
        width = 2 * np.sqrt(across * across + np.float32(self.blur_mm**2))
        # Far from the surface the value does not matter; left large, the interpolation would overshoot.
        return np.asarray(np.clip(self.middle(depth) / width, -FARTHEST_EDGE, FARTHEST_EDGE), np.float32)

    def spread(self, distance: Field) -> Float32[np.ndarray, "K A B"]:
        """Half the range that a distance passes through inside the slice, mm (at least the blur)."""
        across = distance[:, 1] - distance[:, 0]
        return np.asarray(np.sqrt(across * across + np.float32(self.blur_mm**2)), np.float32)


def share(edge: Field) -> Field:
    """Share of a voxel inside, from `Raster.edge` brought to pixels."""
    inside = edge + np.float32(0.5)
    return np.clip(inside, 0, 1, out=inside)


def lay(under: Field, over_share: Field, over: Field | np.float32) -> None:
    """Covers a tissue in place: each voxel takes its share of the new one."""
    difference = over - under
    difference *= over_share
    under += difference


def sheet_share(distance: Field, half_width: Field, spread: Field | np.float32) -> Field:
    """Share of a voxel inside a sheet: the overlap of [-w, w] with the range the voxel passes through.

    Args:
        distance: From the sheet's middle, mm, at the voxel's centre.
        half_width: Of the sheet, mm; nothing where it is not positive.
        spread: Half the range of distances inside the voxel, mm.
    """
    overlap = np.minimum(distance + spread, half_width)
    overlap -= np.maximum(distance - spread, -half_width)
    overlap /= 2 * spread
    return np.asarray(np.clip(overlap, 0, 1, out=overlap), np.float32)


def cubic_weights(nodes: Float64[np.ndarray, " n"], pixels: np.ndarray) -> Float32[np.ndarray, "m n"]:
    """Catmull-Rom weights (Keys 1981, a = -1/2) from evenly spaced nodes to pixels; ends are held."""
    position = (pixels - nodes[0]) / (nodes[1] - nodes[0])
    first = np.floor(position).astype(int) - 1
    weights = np.zeros((len(pixels), len(nodes)))
    for tap in range(TAPS):
        column = np.clip(first + tap, 0, len(nodes) - 1)
        np.add.at(weights, (np.arange(len(pixels)), column), _keys(np.abs(position - (first + tap))))
    return weights.astype(np.float32)


def _keys(distance: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < TAPS / 2, far, 0.0))


def _extent(flags: Bool[np.ndarray, " n"]) -> slice:
    """From the first to the last true flag."""
    where = np.flatnonzero(flags)
    return slice(int(where[0]), int(where[-1]) + 1)


def _window(acquisition: Acquisition) -> tuple[slice, slice]:
    """Columns and rows where the head may be."""
    x, y = acquisition.head_offset_mm[:2]
    (left, right), (back, front) = HEAD_BOX_MM
    middle = (acquisition.matrix - 1) / 2
    spacing = acquisition.pixel_spacing_mm
    along_i = (middle - (x + right) / spacing, middle - (x + left) / spacing)
    along_j = (middle - (y + front) / spacing, middle - (y + back) / spacing)
    return _clipped(along_i, acquisition.matrix), _clipped(along_j, acquisition.matrix)


def _clipped(bounds: tuple[float, float], size: int) -> slice:
    return slice(max(0, int(bounds[0])), min(size, int(bounds[1]) + 1))


def _nodes(window: slice, step: float) -> Float64[np.ndarray, " n"]:
    """Node positions in pixels, from the window's first pixel to past its last."""
    return np.asarray(window.start + step * np.arange(int(np.ceil((window.stop - window.start) / step)) + 1))


def _head_coordinates(
    acquisition: Acquisition, i_nodes: Float64[np.ndarray, " a"], j_nodes: Float64[np.ndarray, " b"]
) -> tuple[Float64[np.ndarray, "K 2 3"], Float64[np.ndarray, "a 3"], Float64[np.ndarray, "b 3"]]:
    """Head frame positions of the first nodes [K, 2, 3] and of the others relative to them."""
    to_head = np.linalg.inv(acquisition.head_to_world)
    heights = np.array([LOWER, UPPER]) * acquisition.slice_thickness_mm
    corner = i_nodes[0] * acquisition.step_i + j_nodes[0] * acquisition.step_j
    world = acquisition.slice_origins[:, None] + corner + heights[:, None] * acquisition.normal
    origins = world @ to_head[:3, :3].T + to_head[:3, 3]
    along_i = np.outer(i_nodes - i_nodes[0], to_head[:3, :3] @ acquisition.step_i)
    along_j = np.outer(j_nodes - j_nodes[0], to_head[:3, :3] @ acquisition.step_j)
    return origins, along_i, along_j
