"""Grids whatever the order and direction of their axes: the same voxels, turned alike."""

import numpy as np

from app.imaging.volume import Grid, Volume


def same_place(one: Grid, other: Grid) -> bool:
    """Whether both hold the same voxels, whatever the order and direction of their axes: within half a voxel at each corner."""
    a, b = canonical(one), canonical(other)
    if a.shape != b.shape:
        return False
    last = np.array([*(n - 1 for n in a.shape), 1.0])
    corners = (np.array([0, 0, 0, 1.0]), last)
    apart = [np.abs((a.affine - b.affine) @ corner).max() for corner in corners]
    return bool(max(apart) < min(a.spacing_mm) / 2)


def lies_on(mask: Grid, image: Volume) -> bool:
    """Whether a mask holds an image's voxels: on the patient's grid, or slice upon slice as the image is stored.

    Of a tilted series nobody outside this program has the corrected grid: masks are drawn on the slices.
    """
    return same_place(mask, image.grid) or (
        (stored := _stored(image)) is not None and same_place(mask, stored)
    )


def _stored(image: Volume) -> Grid | None:
    """The lattice of the stored slices, sheared where the gantry was tilted; None where their gaps differ too much to have one."""
    origins, count = image.slice_origins, len(image.slice_origins)
    if count < 2:  # noqa: PLR2004 - one slice has no step
        return None
    step = (origins[-1] - origins[0]) / (count - 1)
    if np.abs(origins - origins[0] - np.arange(count)[:, None] * step).max() > np.linalg.norm(step) / 2:
        return None
    affine = np.eye(4)
    affine[:3] = np.stack([image.step_i, image.step_j, step, origins[0]], axis=1)
    i, j, k = image.voxels.shape
    return Grid((i, j, k), affine)


def canonical(grid: Grid) -> Grid:
    """The same voxels with axes nearest to Right, Anterior, Superior."""
    order, flips = orientation(grid)
    affine = grid.affine[:, [*order, 3]].copy()
    shape = [grid.shape[axis] for axis in order]
    for axis in range(3):
        if flips[axis]:
            affine[:, 3] += (shape[axis] - 1) * affine[:, axis]
            affine[:, axis] *= -1
    return Grid((shape[0], shape[1], shape[2]), affine)


def orientation(grid: Grid) -> tuple[list[int], list[bool]]:
    """Axes of the grid that run nearest to Right, Anterior and Superior, and which of them run the other way."""
    nearness = np.abs(grid.affine[:3, :3]) / np.linalg.norm(grid.affine[:3, :3], axis=0)
    order = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(nearness)), nearness.shape)
        order[int(world)] = int(axis)
        nearness[world, :] = nearness[:, axis] = -1
    return order, [bool(grid.affine[world, axis] < 0) for world, axis in enumerate(order)]
