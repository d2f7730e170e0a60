"""Both ways of reading an oblique grid give the same bits, and a block's borders cannot be seen."""

import numpy as np
import pytest

from app.imaging.sampling import oblique
from app.imaging.sampling.lattice import StoredLattice, grid_axes_under
from app.imaging.sampling.oblique_ranges import spread_out
from app.imaging.sampling.oblique_rows import rows_run_along_last_axis
from app.imaging.volume import Grid, Modality, Volume

UNEVEN_MM = np.r_[np.arange(8) * 4.0, 29.1 + np.arange(7) * 7.0]
EVEN_MM = np.arange(15) * 5.0


def tilted(depths_mm: np.ndarray, pixel_mm: float = 1.3) -> Volume:
    """A CT with a gantry tilted by 18 degrees."""
    tilt = np.radians(18)
    step_i = pixel_mm * np.array([-1.0, 0, 0])
    step_j = pixel_mm * np.array([0, -np.cos(tilt), -np.sin(tilt)])
    origins = np.zeros((len(depths_mm), 3))
    origins[:, 2] = depths_mm
    voxels = np.random.default_rng(7).integers(-1000, 2000, (44, 50, len(depths_mm))).astype(np.int16)
    return Volume(voxels, step_i, step_j, origins, Grid(voxels.shape, np.eye(4)), Modality.CT)


def model_grid(spacing_mm: tuple[float, float, float]) -> Grid:
    """As large as the volume and a little larger, axes in the order (z, y, x)."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing_mm)[::-1]
    affine[:3, 3] = (-60, -66, -25)
    d, h, w = (int(extent / mm) for extent, mm in zip((110, 74, 64), spacing_mm, strict=True))
    return Grid((d, h, w), affine)


@pytest.mark.parametrize("depths_mm", [EVEN_MM, UNEVEN_MM])
@pytest.mark.parametrize("spacing_mm", [(5.0, 2.5, 2.5), (2.0, 0.9, 1.1), (9.0, 1.2, 4.0)])
def test_rows_read_whole_are_the_places_read_one_by_one_to_the_last_bit(
    depths_mm: np.ndarray, spacing_mm: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, grid = tilted(depths_mm), model_grid(spacing_mm)
    lattice = StoredLattice.of(volume)
    assert rows_run_along_last_axis(lattice, spread_out(grid_axes_under(lattice.dual, grid)))
    rows = oblique.sample_oblique(volume.voxels, lattice, grid, -1024.0)
    monkeypatch.setattr(oblique, "rows_run_along_last_axis", lambda *_: False)
    places = oblique.sample_oblique(volume.voxels, lattice, grid, -1024.0)
    assert np.array_equal(rows, places)
    assert 0.3 < (rows == -1024).mean() < 0.9


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_rows_are_read_whole_along_whichever_axis_of_the_grid_they_run(order: tuple[int, int, int]) -> None:
    volume, grid = tilted(UNEVEN_MM), model_grid((5.0, 2.5, 2.5))
    lattice = StoredLattice.of(volume)
    plain = oblique.sample_oblique(volume.voxels, lattice, grid, -1024.0)
    turned = oblique.sample_oblique(volume.voxels, lattice, grid.permuted(order), -1024.0)
    assert turned.shape == tuple(grid.shape[axis] for axis in order)
    assert np.abs(turned - plain.transpose(order)).max() < 0.05, "but for rounding"


def test_rows_that_are_the_least_oblique_are_read_place_by_place() -> None:
    volume, grid = tilted(EVEN_MM), model_grid((5.0, 2.5, 2.5))
    lattice, affine = StoredLattice.of(volume), grid.affine.copy()
    affine[1, 2] = 1e-9
    turned = spread_out(grid_axes_under(lattice.dual, Grid(grid.shape, affine)))
    assert not rows_run_along_last_axis(lattice, turned)


@pytest.mark.parametrize("order", ["C", "F"])
def test_neither_blocks_nor_the_order_in_memory_can_be_seen(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, grid = tilted(UNEVEN_MM), model_grid((5.0, 2.5, 2.5))
    grid.affine[1, 2] = 0.2
    lattice = StoredLattice.of(volume)
    whole = oblique.sample_oblique(np.asfortranarray(volume.voxels), lattice, grid, -1024.0)
    monkeypatch.setattr(oblique, "BLOCK", 1)
    voxels = np.array(volume.voxels, order="C" if order == "C" else "F")
    assert np.array_equal(oblique.sample_oblique(voxels, lattice, grid, -1024.0), whole)
