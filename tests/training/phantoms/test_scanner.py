"""Protocols and positions."""

import numpy as np
import pytest

from app.imaging.write import is_stored_lattice
from tests.training.phantoms.protocols import protocol
from training.phantoms.scanner import draw_acquisition, volume_of


def test_equal_seeds_draw_equal_protocols() -> None:
    first, again, other = (draw_acquisition(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first == again != other


def test_the_whole_cerebellum_is_covered() -> None:
    for seed in range(60):
        acquisition = draw_acquisition(np.random.default_rng(seed))
        bottom = (acquisition.head_to_world @ [0, -60, -58, 1])[:3]
        heights = (acquisition.slice_origins - bottom) @ acquisition.normal
        assert heights[0] < acquisition.slice_thickness_mm / 2
        assert heights[-1] > 85


def test_protocols_are_as_varied_as_hospitals() -> None:
    drawn = [draw_acquisition(np.random.default_rng(seed)) for seed in range(150)]
    assert len({a.matrix for a in drawn}) == 5
    assert 0.3 < np.mean([a.gantry_tilt_degrees != 0 for a in drawn]) < 0.6
    assert {a.slice_thickness_mm for a in drawn} >= {3.0, 4.0, 5.0, 6.0, 7.0}
    assert not any(a.uneven for a in drawn)


def test_a_tilted_gantry_lifts_the_front_edge() -> None:
    acquisition = protocol(tilt=18.5)
    assert acquisition.normal @ [0, 0, 1] == pytest.approx(np.cos(np.radians(18.5)))
    to_posterior = acquisition.step_j / np.linalg.norm(acquisition.step_j)
    assert to_posterior[2] == pytest.approx(-np.sin(np.radians(18.5)))


def test_the_head_turns_as_the_angles_say() -> None:
    turned = protocol(rotation=(0, 0, 90)).head_to_world
    np.testing.assert_allclose(turned @ [0, 10, 0, 1], [-10, 14, 0, 1], atol=1e-9)  # the face now looks left


def test_a_tilted_series_keeps_its_stored_lattice_and_an_uneven_one_gets_a_regular_grid() -> None:
    for seed in range(12):
        for uneven in (False, True):
            acquisition = draw_acquisition(np.random.default_rng(seed), uneven=uneven)
            size, count = acquisition.matrix, len(acquisition.slice_centres_mm)
            volume = volume_of(acquisition, np.zeros((size, size, count), np.int16))
            assert acquisition.uneven == uneven
            assert is_stored_lattice(volume) != uneven
            last = np.append(np.array(volume.grid.shape) - 1, 1)
            if not uneven:
                corner = volume.slice_origins[-1] + (size - 1) * (volume.step_i + volume.step_j)
                np.testing.assert_allclose((volume.grid.affine @ last)[:3], corner, atol=1e-3)


def test_two_blocks_have_gaps_of_4_and_7_mm_and_one_between_them() -> None:
    acquisition = draw_acquisition(np.random.default_rng(4), uneven=True)
    gaps = np.diff(acquisition.slice_origins @ acquisition.normal).round(1)
    assert set(gaps[:5]) == {4.0}
    assert set(gaps[-5:]) == {7.0}
    assert np.count_nonzero((gaps != 4.0) & (gaps != 7.0)) == 1
