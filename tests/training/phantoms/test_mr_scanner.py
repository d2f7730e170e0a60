"""MRI scanners: how they differ, where their lattices lie, what they measure."""

from dataclasses import replace

import numpy as np
import pytest

from training.phantoms.mr_scanner import (
    AXIS_CODES,
    HEAD_HIGH,
    HEAD_LOW,
    draw_mr_acquisition,
    index_from_world,
    lay_grid,
    measure,
)

SIZE = np.ones(3)


def test_drawn_scanners_differ_in_axes_voxels_unit_and_cover() -> None:
    scanners = [draw_mr_acquisition(np.random.default_rng(seed)) for seed in range(200)]
    assert {scanner.axis_codes for scanner in scanners} == set(AXIS_CODES)
    scales = np.array([scanner.scale for scanner in scanners])
    assert scales.max() / scales.min() > 50
    assert any(scanner.spacing_mm[2] > 2 for scanner in scanners)
    assert any(scanner.defaced for scanner in scanners)
    assert any(scanner.stripped for scanner in scanners)
    for scanner in scanners:
        assert 1.1 <= min(scanner.spacing_mm) <= max(scanner.spacing_mm) <= 5


@pytest.mark.parametrize("seed", range(6))
def test_the_lattice_covers_the_head_down_to_the_chosen_level(seed: int) -> None:
    scanner = replace(draw_mr_acquisition(np.random.default_rng(seed)), tilt=np.zeros(3), pose=np.zeros(3))
    grid = lay_grid(scanner, SIZE)
    corners = np.array([(*HEAD_LOW[:2], scanner.lowest_mm), HEAD_HIGH]) + scanner.offset_mm
    index = np.linalg.solve(grid.affine, np.c_[corners, np.ones(2)].T)[:3]
    assert (index.min(axis=1) >= 0).all()
    assert (index.max(axis=1) <= np.array(grid.shape) - 1).all()


def test_the_world_is_the_turned_scaled_and_shifted_head() -> None:
    scanner = replace(
        draw_mr_acquisition(np.random.default_rng(0)),
        pose=np.array([0, 0, np.pi / 2]),
        offset_mm=np.array([1.0, 2.0, 3.0]),
    )
    to_index = index_from_world(scanner, np.array([2.0, 1.0, 1.0]), (-10.0, -10.0, -10.0), 0.5)
    head = np.array([4.0, 0.0, 0.0])
    world = np.array([0.0, 8.0, 0.0]) + scanner.offset_mm  # twice as wide, turned from Right to Anterior
    np.testing.assert_allclose((to_index @ (*world, 1))[:3], (head + 10) / 0.5, atol=1e-9)


def test_air_has_the_rayleigh_mean_of_the_noise_and_tissue_its_own_signal() -> None:
    scanner = replace(
        draw_mr_acquisition(np.random.default_rng(0)),
        snr=20.0,
        bias=0.0,
        scale=4.0,
        defaced=False,
        stripped=False,
    )
    sigma = 500 * 4 / 20
    for signal, expected in ((0.0, sigma * np.sqrt(np.pi / 2)), (1.0, np.hypot(2000, sigma / np.sqrt(2)))):
        voxels = measure(np.full((40, 40, 40), signal, np.float32), scanner, np.random.default_rng(1))
        assert voxels.mean() == pytest.approx(expected, rel=0.02)


def test_shading_is_smooth_and_grows_with_the_coils_bias() -> None:
    scanner = replace(draw_mr_acquisition(np.random.default_rng(0)), snr=1e6, scale=10.0)
    spread = []
    for bias in (0.02, 0.2):
        flat = np.ones((30, 30, 30), np.float32)
        voxels = measure(flat, replace(scanner, bias=bias), np.random.default_rng(2)).astype(float)
        spread.append(voxels.std() / voxels.mean())
        assert np.abs(np.diff(voxels, axis=0)).max() < 0.1 * voxels.mean()
    assert spread[1] > 4 * spread[0]
