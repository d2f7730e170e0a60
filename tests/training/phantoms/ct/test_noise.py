"""Sums of plane waves."""

import numpy as np
import pytest

from training.phantoms.ct.noise import Waves
from training.phantoms.ct.shapes import Points


def _scattered(count: int, extent_mm: float, seed: int = 0) -> Points:
    rng = np.random.default_rng(seed)
    return Points(*(rng.uniform(-extent_mm, extent_mm, count).astype(np.float32) for _ in range(3)))


def test_a_lattice_holds_the_same_field_as_its_points_one_by_one() -> None:
    waves = Waves.draw(np.random.default_rng(3), 20.0)
    origins = np.array([[0.0, 1.0, 2.0], [5.0, -3.0, 40.0]])
    along_a = np.outer(np.arange(4), [2.0, 0.1, 0.0])
    along_b = np.outer(np.arange(5), [0.0, 3.0, -1.0])
    where = origins[:, None, None] + along_a[None, :, None] + along_b[None, None, :]
    one_by_one = waves.at(Points(*np.moveaxis(where.astype(np.float32), -1, 0)))
    np.testing.assert_allclose(waves.on_lattice(origins, along_a, along_b), one_by_one, atol=1e-4)


def test_the_field_has_zero_mean_and_unit_variance() -> None:
    values = np.concatenate(
        [Waves.draw(np.random.default_rng(seed), 12.0).at(_scattered(4000, 200, seed)) for seed in range(10)]
    )
    assert values.mean() == pytest.approx(0, abs=0.05)
    assert values.std() == pytest.approx(1, abs=0.05)


def test_a_shorter_wave_changes_faster() -> None:
    p = _scattered(4000, 100)
    moved = Points(p.x + 1, p.y, p.z)
    changes = []
    for wavelength_mm in (10.0, 40.0):
        waves = Waves.draw(np.random.default_rng(5), wavelength_mm)
        changes.append(np.abs(waves.at(moved) - waves.at(p)).mean())
    assert changes[0] > 3 * changes[1]
