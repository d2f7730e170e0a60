"""What the scanner adds."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.phantoms.protocols import protocol
from training.phantoms.ct.artefacts import holder_hu, noise_scale, quantum_noise, shading
from training.phantoms.ct.raster import Raster
from training.phantoms.ct.shapes import Points


def test_noise_has_unit_variance_and_the_grain_of_the_kernel() -> None:
    neighbours = []
    for blur_mm in (0.3, 1.8):
        acquisition = replace(protocol(), blur_mm=blur_mm, pixel_spacing_mm=0.7)
        noise = quantum_noise(acquisition, (200, 200), np.random.default_rng(0))
        assert noise.std() == pytest.approx(1, abs=0.02)
        neighbours.append(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1])
    assert neighbours[0] < 0.1
    assert neighbours[1] > 0.6


def test_noise_is_strongest_at_the_base() -> None:
    raster = Raster.of(protocol())
    p = raster.points
    scale = noise_scale(p, np.full_like(p.x, 30), raster)
    heights = raster.middle(p.z)
    assert scale[np.abs(heights + 42) < 3].mean() > 1.4 * scale[heights > 20].mean()


def test_hard_rays_brighten_the_rim_and_darken_between_the_petrous_bones() -> None:
    p = Points(*np.array([[60, 0, 30], [0, -28, -38], [0, 0, 40]], np.float32).T)
    cavity = np.array([0.5, 25, 40], np.float32)
    mean = np.mean(
        [shading(p, cavity, np.zeros(3, np.float32), np.random.default_rng(seed)) for seed in range(60)],
        axis=0,
    )
    assert mean[0] > 2
    assert mean[1] < -3
    assert abs(mean[2]) < 1


def test_a_holder_is_a_thin_shell_behind_the_head_or_absent() -> None:
    shell = holder_hu(protocol(), np.random.default_rng(1))
    assert shell.max() > 300
    assert 0.001 < np.mean(shell > 100) < 0.08
    rows = np.argwhere(shell > 100)[:, 1]
    assert rows.mean() > shell.shape[1] / 2
    assert not holder_hu(replace(protocol(), holder=False), np.random.default_rng(1)).any()
