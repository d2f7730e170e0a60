import numpy as np
import pytest

from app.imaging.sampling.lattice import StoredLattice, grid_axes_under
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
