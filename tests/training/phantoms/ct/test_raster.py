"""Nodes, interpolation, edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.phantoms.protocols import protocol
from training.phantoms.ct.raster import Raster, cubic_weights, lay, share, sheet_share
from training.phantoms.ct.shapes import oval


def test_interpolation_keeps_straight_lines() -> None:
    nodes = 3.5 + 4.2 * np.arange(12)
    pixels = np.arange(8, 44)
    weights = cubic_weights(nodes, pixels)
    np.testing.assert_allclose(weights @ nodes, pixels, atol=1e-4)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_pixels_of_a_patch_are_a_part_of_the_window() -> None:
    raster = Raster.of(protocol())
    nodes = raster.points.x[3, 0]
    patch = (slice(10, 40), slice(5, 80))
    np.testing.assert_allclose(raster.pixels(nodes, patch), raster.pixels(nodes)[patch], rtol=1e-5)


@pytest.mark.parametrize("tilt", [0.0, 18.5])
def test_a_landmark_lies_where_the_world_says(tilt: float) -> None:
    """A ball at a known place of the head frame is painted at its world position, tilt and turned head or not."""
    acquisition = protocol(tilt=tilt, rotation=(7.0, -3.0, 5.0))
    raster = Raster.of(acquisition)
    ball = raster.edge(oval(raster.points, (20, -30, 10), (16, 16, 16)))
    pixels = np.stack([share(raster.pixels(nodes)) for nodes in ball], axis=2)
    weights = pixels / pixels.sum()
    i, j, k = (np.arange(n) for n in pixels.shape)
    lattice = raster.lattice
    found = (
        weights.sum(axis=(0, 1)) @ lattice.origins[k]
        + (weights.sum(axis=(1, 2)) @ i) * lattice.step_i
        + (weights.sum(axis=(0, 2)) @ j) * lattice.step_j
    )
    np.testing.assert_allclose(found, raster.world((20, -30, 10)), atol=0.6)
    volume_ml = float(pixels.sum(axis=(0, 1)) @ lattice.voxel_ml())
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 1.6**3, rel=0.03)


def test_a_slice_that_cuts_a_surface_obliquely_shows_a_wide_edge() -> None:
    raster = Raster.of(protocol())
    flat = raster.edge(raster.points.z - 10)  # parallel to the slices
    upright = raster.edge(raster.points.x - 10)
    assert np.abs(np.diff(flat, axis=0)).max() < 1.1
    assert np.abs(np.diff(upright, axis=1)).max() > 1.5


@given(st.floats(-5, 5), st.floats(-2, 3), st.floats(0.2, 4))
def test_the_share_of_a_sheet_is_an_overlap(distance: float, half: float, spread: float) -> None:
    sheet = (np.array([number], np.float32) for number in (distance, half, spread))
    got = float(sheet_share(*sheet)[0])
    at = np.linspace(distance - spread, distance + spread, 4001)
    assert got == pytest.approx(np.mean(np.abs(at) <= half) if half > 0 else 0, abs=2e-3)


def test_a_tissue_is_laid_by_its_share() -> None:
    under = np.array([10.0, 10.0, 10.0], np.float32)
    lay(under, np.array([0, 0.5, 1], np.float32), np.float32(30))
    np.testing.assert_array_equal(under, [10, 20, 30])
