"""A stack's own coordinates, beyond its ends too."""

import numpy as np
import pytest

from app.imaging.sampling.lattice import StoredLattice, grid_axes_under, inside
from app.imaging.volume import Grid, Modality, Volume

GRID = Grid((4, 5, 6), np.eye(4))


def stack(origins: np.ndarray) -> Volume:
    step_i, step_j = np.array([-2.0, 0, 0]), np.array([0, -3.0, 0])
    return Volume(np.zeros((4, 5, len(origins))), step_i, step_j, origins, GRID, Modality.CT)


UNEVEN = np.column_stack([np.zeros(5), [0, 1, 2.5, 3, 4], [0, 4, 10, 12, 16]]).astype(float)


@pytest.mark.parametrize("origins", [UNEVEN, UNEVEN[::-1], np.linspace(UNEVEN[0], UNEVEN[-1], 7)])
def test_the_index_of_a_stored_voxel_is_its_index(origins: np.ndarray) -> None:
    volume = stack(origins)
    lattice = StoredLattice.of(volume)
    for i, j, k in [(0, 0, 0), (3, 4, 2), (1, 2, len(origins) - 1)]:
        place = origins[k] + i * volume.step_i + j * volume.step_j
        at_i, at_j, depth = lattice.dual @ place
        found = lattice.slice_index(np.array(depth))
        assert float(found) == pytest.approx(k)
        assert at_i - float(lattice.in_plane_origin(found, 0)) == pytest.approx(i)
        assert at_j - float(lattice.in_plane_origin(found, 1)) == pytest.approx(j)


def test_an_even_sheared_stack_is_one_affine() -> None:
    lattice = StoredLattice.of(stack(np.linspace([0, 0, 0], [0, 4, 16], 5)))
    assert lattice.is_even
    assert not lattice.is_upright
    axes = grid_axes_under(lattice.dual, GRID)
    assert lattice.even_index(2, axes)[2][3] == pytest.approx(3 / 4)  # three millimetres up in gaps of four


def test_uneven_gaps_weigh_what_they_stand_for() -> None:
    lattice = StoredLattice.of(stack(UNEVEN))
    assert not lattice.is_even
    assert lattice.gaps == pytest.approx([4, 5, 4, 3, 4])


def test_beyond_its_ends_a_stack_goes_on_as_it_ended() -> None:
    lattice = StoredLattice.of(stack(UNEVEN))
    # Its gaps are 4, 6, 2 and 4 mm: half the first below it, half the last above it.
    at = lattice.slice_index(np.array([-2.0, 2.0, 7.0, 18.0]))
    assert at == pytest.approx([-0.5, 0.5, 1.5, 4.5])
    # Its origins drift by 1, 1.5, 0.5 and 1 mm along the second axis, 3 mm a pixel, against the patient's.
    for axis, drift in ((0, [0, 0, 0, 0]), (1, [0.5, -0.5, -1.75, -4.5])):
        assert lattice.in_plane_origin(at, axis) == pytest.approx(np.array(drift) / 3)
    turned = StoredLattice.of(stack(np.add(UNEVEN, [0, 0, 100])))
    assert turned.slice_index(np.array([98.0, 118.0])) == pytest.approx([-0.5, 4.5])


def test_the_gap_beyond_an_end_is_that_end_s() -> None:
    lattice = StoredLattice.of(stack(np.column_stack([np.zeros(4), [6, 7, 7, 9], [0, 2, 6, 14]])))
    at = lattice.slice_index(np.array([-4.0, 30.0]))
    assert at == pytest.approx([-2, 5])  # two gaps of 2 mm below, two of 8 above
    assert lattice.in_plane_origin(at, 1) == pytest.approx([-4 / 3, -13 / 3])


def test_a_lone_slice_goes_nowhere_sideways() -> None:
    lattice = StoredLattice.of(stack(np.array([[4.0, 6.0, 50.0]])))
    assert lattice.slice_index(np.array([50.0, 50.5, 49.0])) == pytest.approx([0, 0.5, -1])
    assert lattice.in_plane_origin(np.array([-1.0, 0.0, 2.0]), 0) == pytest.approx([-2, -2, -2])
    assert (lattice.is_even, lattice.is_upright, lattice.wobble) == (True, True, (0.0, 0.0, 0.0))
    axes = grid_axes_under(lattice.dual, GRID)
    assert lattice.even_index(2, axes)[0] == pytest.approx([-50.0] * 4)  # at the grid's own spacing of 1 mm
    assert sum(float(part[0]) for part in lattice.even_index(0, axes)) == pytest.approx(2)


def test_the_finest_distance_is_between_the_nearest_neighbours() -> None:
    lattice = StoredLattice.of(stack(np.column_stack([np.zeros((4, 2)), [0, 2, 4, 14]])))
    assert lattice.finest_mm == pytest.approx((2, 3, 2))


def test_a_slice_beside_the_line_of_the_others_is_told_in_pixels() -> None:
    origins = np.column_stack([np.zeros(5), [10, 11, 12, 13, 14], [20, 24, 28, 32, 36]]).astype(float)
    assert StoredLattice.of(stack(origins)).wobble == pytest.approx((0, 0, 0))
    origins[1] += [-5.0, 0.0, 0.0]
    origins[3] += [0.0, 1.5, 0.0]
    assert StoredLattice.of(stack(origins)).wobble == pytest.approx((2.5, 0.5, 0))


@pytest.mark.parametrize(("pixel_mm", "shift_mm", "upright"), [(0.1, 0.04, True), (10.0, 0.06, False)])
def test_upright_is_judged_in_millimetres(pixel_mm: float, shift_mm: float, upright: bool) -> None:
    origins = np.array([[0, 0, 0], [shift_mm, 0, 5]])
    step = pixel_mm * np.eye(3)
    volume = Volume(np.zeros((4, 5, 2)), step[0], step[1], origins, GRID, Modality.CT)
    assert StoredLattice.of(volume).is_upright == upright


@pytest.mark.parametrize(("pixel_mm", "off_mm", "even"), [(0.01, 0.0005, True), (100.0, 0.002, False)])
def test_even_is_judged_in_millimetres(pixel_mm: float, off_mm: float, even: bool) -> None:
    origins = np.array([[0, 0, 0], [off_mm, 0, 5], [0, 0, 10]])
    step = pixel_mm * np.eye(3)
    volume = Volume(np.zeros((4, 5, 3)), step[0], step[1], origins, GRID, Modality.CT)
    assert StoredLattice.of(volume).is_even == even


def test_directions_are_of_one_millimetre() -> None:
    lattice = StoredLattice.of(stack(UNEVEN))
    assert lattice.directions == pytest.approx(np.diag([-1.0, -1.0, 1.0]))


def test_half_a_voxel_beyond_the_centres_is_inside() -> None:
    at = np.array([-0.51, -0.5, 0.0, 2.5, 2.51])
    assert inside((at, np.zeros(5)), (3, 1)).tolist() == [False, True, True, True, False]
    assert inside((np.zeros(5), at), (1, 3)).tolist() == [False, True, True, True, False]
