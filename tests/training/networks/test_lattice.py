import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from training.networks.lattice import Lattice, linear_weights, resample, spread, to_finer_stage


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-3, 12), min_size=1, max_size=9), st.integers(1, 8))
def test_weights_are_shares(positions: list[float], size: int) -> None:
    weights = linear_weights(torch.tensor(positions), size)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(len(positions)), atol=1e-5, rtol=0)


def test_a_ramp_is_read_at_fractional_positions_and_held_beyond_its_ends() -> None:
    ramp = torch.arange(5.0).view(1, 1, -1)
    read = resample(ramp, [torch.tensor([-2.0, 0, 0.25, 3.5, 9])])
    torch.testing.assert_close(read.flatten(), torch.tensor([0, 0, 0.25, 3.5, 4]))


def test_a_map_of_positions_keeps_its_positions_on_a_finer_stage() -> None:
    """Each coarse cell holds the model-grid position of its own centre: interpolation must return the fine centres."""
    coarse = torch.stack(torch.meshgrid(torch.arange(4.0) * 4, torch.arange(5.0) * 8, indexing="ij"))[None]
    fine = to_finer_stage(coarse, Lattice((4, 8), (0, 0)), (7, 17), Lattice((2, 2), (0, 0)))
    expected = torch.stack(torch.meshgrid(torch.arange(7.0) * 2, torch.arange(17.0) * 2, indexing="ij"))[None]
    torch.testing.assert_close(fine, expected)


def test_a_map_already_on_the_stage_is_returned_untouched() -> None:
    maps = torch.randn(1, 1, 3, 3)
    assert to_finer_stage(maps, Lattice((2, 2), (0, 0)), (3, 3), Lattice((2, 2), (0, 0))) is maps


def test_cells_that_lie_between_voxels_are_brought_to_where_they_lie() -> None:
    """As above, with coarse cells half a fine cell further in: the first fine centre lies outside and is held."""
    coarse = (torch.arange(4.0) * 4 + 1)[None, None]
    fine = to_finer_stage(coarse, Lattice((4,), (1.0,)), (7,), Lattice((2,), (0.0,)))
    torch.testing.assert_close(fine.flatten(), torch.tensor([1.0, 2, 4, 6, 8, 10, 12]))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2)), max_size=4),
    st.integers(20, 50),
)
def test_a_cell_lies_in_the_middle_of_the_voxels_it_sees(
    windows: list[tuple[int, int, int]], size: int
) -> None:
    """Against the network itself: the gradient of a cell away from the edges says which voxels it sees."""
    lattice, layers = Lattice.voxels(1), []
    for kernel, stride, padding in windows:
        lattice = lattice.then(kernel, stride, padding)
        layers.append(nn.Conv1d(1, 1, kernel, stride, padding, bias=False))
        nn.init.ones_(layers[-1].weight)
    # Cells that see less have an edge in sight.
    reach = sum(
        (kernel - 1) * math.prod(s for _, s, _ in windows[:i]) for i, (kernel, _, _) in enumerate(windows)
    )
    line = torch.zeros(1, 1, size, requires_grad=True)
    if lattice.cells((size,))[0] < 1:
        return  # some window does not fit
    cells = nn.Sequential(*layers)(line)
    assert cells.shape[2:] == lattice.cells((size,))
    for cell in range(cells.shape[2]):
        (gradient,) = torch.autograd.grad(cells[0, 0, cell], line, retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten()
        if len(seen) and seen[-1] - seen[0] == reach:
            assert (seen[0] + seen[-1]) / 2 == lattice.stride[0] * cell + lattice.offset[0]


def test_a_volume_of_slices_has_an_axis_of_voxels_in_front() -> None:
    lattice = Lattice.voxels(2).then(7, 2).then(2, 2, 0).per_slice()
    assert (lattice.stride, lattice.offset) == ((1, 4, 4), (0, 1, 1))
    assert lattice.cells((5, 32, 20)) == (5, 8, 5)


def test_a_spread_grid_keeps_its_corners() -> None:
    grid = torch.randn(2, 1, 4, 4, 4)
    wide = spread(grid, (9, 6, 11))
    assert wide.shape == (2, 1, 9, 6, 11)
    torch.testing.assert_close(wide[:, :, ::8, ::5, ::10], grid[:, :, ::3, ::3, ::3])
