"""Voxels in the world."""

import numpy as np
import pytest

from training.phantoms.ct.noise import Waves
from training.phantoms.ct.slice_lattice import SliceLattice

TILT = np.radians(20)
LATTICE = SliceLattice(
    step_i=np.array([-2.0, 0.0, 0.0]),
    step_j=3.0 * np.array([0.0, -np.cos(TILT), -np.sin(TILT)]),
    origins=np.array([[50.0, 40.0, z] for z in (0.0, 4.0, 8.0, 16.0)]),
    shape=(50, 30, 4),
)


def test_slices_share_the_gaps_between_them() -> None:
    upright = 4 * np.cos(TILT)
    np.testing.assert_allclose(LATTICE.gaps_mm(), np.array([1, 1, 1.5, 2]) * upright)
    np.testing.assert_allclose(LATTICE.voxel_ml(), LATTICE.gaps_mm() * 6 / 1000)


def test_a_box_holds_every_voxel_within_reach() -> None:
    centre = LATTICE.origins[1] + 20 * LATTICE.step_i + 10 * LATTICE.step_j
    box = LATTICE.box(centre, 9.0)
    i, j, k = np.mgrid[:50, :30, :4]
    where = LATTICE.origins[k] + i[..., None] * LATTICE.step_i + j[..., None] * LATTICE.step_j
    near = np.linalg.norm(where - centre, axis=-1) <= 9
    inside = np.zeros(LATTICE.shape, bool)
    inside[box.i, box.j, box.k] = True
    assert near.sum() > 100
    assert not (near & ~inside).any()
    assert inside.sum() < inside.size / 3


def test_offsets_are_world_differences() -> None:
    centre = np.array([10.0, 0.0, 5.0])
    box = LATTICE.box(centre, 12.0)
    offset = LATTICE.offsets(box, centre, lift_mm=2.0)
    k = box.k.start
    expected = LATTICE.origins[k] + (box.i.start + 1) * LATTICE.step_i + box.j.start * LATTICE.step_j - centre
    expected = expected + 2 * LATTICE.normal
    np.testing.assert_allclose([axis[1, 0, 0] for axis in offset], expected, atol=1e-4)


def test_noise_is_read_at_the_voxels() -> None:
    waves = Waves.draw(np.random.default_rng(0), 25.0)
    box = LATTICE.box(np.array([10.0, 0.0, 5.0]), 12.0)
    at_voxels = waves.at(LATTICE.offsets(box, np.zeros(3), lift_mm=1.0))
    assert LATTICE.noise(box, waves, lift_mm=1.0) == pytest.approx(at_voxels, abs=1e-4)


def test_a_box_beside_the_stack_still_holds_the_nearest_slice() -> None:
    box = LATTICE.box(np.array([10.0, 0.0, 500.0]), 5.0)
    assert (box.k.start, box.k.stop) == (3, 4)
