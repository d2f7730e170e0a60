"""Moving slices gives what looking up every voxel gives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.imaging.content import AIR
from app.imaging.read import read_image
from app.imaging.resample import sample_on_grid
from app.imaging.sampling.stack import keeps_pixels, stack_on_grid
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.making import Series, head_ct

UNEVEN = (0, 4, 8, 12, 16, 17.08, 24.08, 31.08, 38.08, 45.08)
EVEN = tuple(range(0, 50, 5))


def read(folder: Path, tilt: float, depths: tuple[float, ...]) -> Volume:
    series = Series(field_at=head_ct, tilt_degrees=tilt, depths_mm=depths, pixel_mm=3.0)
    return read_image(series.write(folder), modality=Modality.CT)


@pytest.mark.parametrize("tilt", [-25.0, 0.0, 18.5])
@pytest.mark.parametrize("depths", [EVEN, UNEVEN])
def test_a_corrected_series_is_read_as_the_oblique_road_reads_it(
    tmp_path: Path, tilt: float, depths: tuple[float, ...]
) -> None:
    volume = read(tmp_path, tilt, depths)
    assert keeps_pixels(volume)
    looked_up = sample_on_grid(volume, volume.grid, AIR[Modality.CT])
    moved = stack_on_grid(volume)
    edge = np.abs(moved - looked_up) > 0.01
    # Float32 decides on which side of half a pixel a place at the very edge lies; nowhere else may they differ.
    assert edge.mean() < 1e-4
    assert moved.shape == volume.grid.shape
    assert moved.dtype == np.float32


def test_planes_and_pixels_beyond_the_stack_are_air(tmp_path: Path) -> None:
    volume = read(tmp_path, 0.0, UNEVEN)
    wider, (i, j, k) = volume.grid.affine.copy(), volume.grid.shape
    wider[:3, 3] -= wider[:3, :3] @ np.array([2.0, 3.0, 4.0])
    grown = replace(volume, grid=Grid((i + 4, j + 6, k + 8), wider))
    moved = stack_on_grid(grown)
    assert np.array_equal(moved[2:-2, 3:-3, 4:-4], stack_on_grid(volume))
    around = np.ones(moved.shape, np.bool_)
    around[2:-2, 3:-3, 4:-4] = False
    assert set(moved[around].tolist()) == {AIR[Modality.CT]}


def test_a_grid_of_other_pixels_is_not_for_this_road(tmp_path: Path) -> None:
    volume = read(tmp_path, 18.5, EVEN)
    other = Volume(
        volume.voxels, volume.step_i * 2, volume.step_j, volume.slice_origins, volume.grid, Modality.CT
    )
    assert not keeps_pixels(other)


@pytest.mark.samples
def test_a_real_tilted_series_is_read_as_the_oblique_road_reads_it(samples: Path) -> None:
    volume = read_image(sorted((samples / "ct-head-ge").iterdir()), modality=Modality.CT)
    looked_up = sample_on_grid(volume, volume.grid, AIR[Modality.CT])
    assert np.abs(stack_on_grid(volume) - looked_up).max() < 0.01
