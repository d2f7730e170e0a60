"""Volume to the model grid, and the model's heatmap back to the patient's grid.

Both directions read trilinearly at true places: in-plane and between the true positions of the slices, in one go, so a
tilted or unevenly spaced series is never resampled twice. Shrinking smooths first (`app.imaging.sampling.axis_weights`).
Beyond half a voxel outside the stored lattice lies `fill`.

Two roads lead to the same numbers. Where the stored axes are parallel to the grid's, each axis is one weight matrix and
three matrix products do the work. Elsewhere the volume is smoothed along its own axes and read point by point, or row by
row where rows run along each other. Either way only the part of the volume under the grid is touched, once, in float32.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from app.imaging.head.find import Head, find_head
from app.imaging.head.quality import judge
from app.imaging.model_grid import ModelGrid
from app.imaging.sampling.lattice import StoredLattice
from app.imaging.sampling.oblique import sample_oblique
from app.imaging.sampling.separable import parallel_axes, sample_parallel
from app.imaging.volume import Finding, Grid, Modality, Volume

VERTEX_MARGIN_MM = 5.0
"""Air between the vertex and the outer face of the grid's top voxels."""
AT_ONCE = 1 << 22
"""Voxels of a heatmap that are in memory at a time, 16 MiB; those of a thin-slice CT would take as much as a second and a third image."""


@dataclass(frozen=True)
class ModelImage:
    """What enters the graph, and where it lies.

    Attributes:
        array: [D, H, W] = (z, y, x), HU for CT or raw MR intensity.
        grid: The same lattice; index order (d, h, w), affine to RAS mm.
        findings: What was noticed about the head in it (`app.imaging.head.quality`).
    """

    array: Float32[np.ndarray, "D H W"]
    grid: Grid
    findings: tuple[Finding, ...] = ()


def place_model_grid(volume: Volume, spec: ModelGrid) -> Grid:
    """Hangs the model's lattice from the vertex, centred in-plane on the head; axes exactly those of the patient."""
    return _hung_from(find_head(volume), spec)


def sample_on_grid(volume: Volume, grid: Grid, fill: float) -> Float32[np.ndarray, "A B C"]:
    """Reads a volume on any lattice.

    Args:
        volume: The image, on its true slices.
        grid: Where to read; the answer has its shape.
        fill: Value outside the stored lattice.
    """
    return _sampled(volume, StoredLattice.of(volume), grid, fill)


def _sampled(volume: Volume, lattice: StoredLattice, grid: Grid, fill: float) -> Float32[np.ndarray, "A B C"]:
    axes = parallel_axes(lattice, grid)
    if axes is not None:
        return sample_parallel(volume.voxels, lattice, grid, axes, fill)
    return sample_oblique(volume.voxels, lattice, grid, fill)


def to_model_grid(volume: Volume, spec: ModelGrid) -> ModelImage:
    """Places the model's lattice on the head and reads the volume there.

    Raises:
        NotAHeadError: The image certainly shows something else.
    """
    head = find_head(volume)
    findings = judge(volume, head)
    grid = _hung_from(head, spec)
    return ModelImage(_sampled(volume, head.coarse.lattice, grid, spec.fill), grid, findings)


def heatmap_to_patient_grid(
    heatmap: Float32[np.ndarray, "D H W"], heatmap_grid: Grid, patient_grid: Grid
) -> Float32[np.ndarray, "I J K"]:
    """Brings a heatmap in [0, 1] to the patient's grid; 0 outside the model's field of view.

    Returns:
        In Fortran's order, as a NIfTI file stores it.
    """
    # Rows along the patient's first axis, which is most often one of the heatmap's too, are read whole, even where a
    # gantry's tilt turns the other two (`app.imaging.sampling.oblique_rows`).
    order = _first_along(heatmap_grid, patient_grid.affine[:3, 0])
    stored = as_volume(heatmap.transpose(order), heatmap_grid.permuted(order))
    on_patient = sample_on_grid(stored, patient_grid.permuted((2, 1, 0)), 0.0)
    return np.clip(on_patient, 0.0, 1.0, out=on_patient).transpose()


def heatmap_by_slices(
    heatmap: Float32[np.ndarray, "D H W"], heatmap_grid: Grid, patient_grid: Grid
) -> Iterator[Float32[np.ndarray, "I J k"]]:
    """The same, some of the patient's slices after the other, the first first."""
    i, j, slices = patient_grid.shape
    together = max(AT_ONCE // (i * j), 1)
    for start in range(0, slices, together):
        some = _slices(patient_grid, start, min(start + together, slices))
        yield heatmap_to_patient_grid(heatmap, heatmap_grid, some)


def _slices(grid: Grid, start: int, stop: int) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] += start * affine[:3, 2]
    return Grid((*grid.shape[:2], stop - start), affine)


def _first_along(grid: Grid, direction: Float64[np.ndarray, "3"]) -> tuple[int, int, int]:
    """The axes of a grid, the one closest to a direction first and the others backwards."""
    steps = grid.affine[:3, :3] / np.array(grid.spacing_mm)
    first = int(np.argmax(np.abs(direction @ steps)))
    second, third = (axis for axis in (2, 1, 0) if axis != first)
    return first, second, third


def as_volume(array: Float32[np.ndarray, "I J K"], grid: Grid) -> Volume:
    """Any array on a regular lattice, as a Volume without modality's meaning (MR: arbitrary unit)."""
    step: Float64[np.ndarray, "3 3"] = grid.affine[:3, :3]
    origins = grid.affine[:3, 3] + np.arange(grid.shape[2])[:, None] * step[:, 2]
    return Volume(array, step[:, 0], step[:, 1], origins, grid, Modality.MR)


def _hung_from(head: Head, spec: ModelGrid) -> Grid:
    d, h, w = spec.shape
    sd, sh, sw = spec.spacing_mm
    lowest = (
        head.vertex_mm + VERTEX_MARGIN_MM - (d - 0.5) * sd
        if head.found
        else head.vertex_mm - (d - 1) / 2 * sd
    )
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, sw], [0, sh, 0], [sd, 0, 0]])
    affine[:3, 3] = head.centre_mm[0] - (w - 1) / 2 * sw, head.centre_mm[1] - (h - 1) / 2 * sh, lowest
    return Grid((d, h, w), affine)
