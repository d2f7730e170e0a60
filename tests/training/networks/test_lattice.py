import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.networks.lattice import linear_weights, resample, spread, to_finer_stage


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
    fine = to_finer_stage(coarse, (4, 8), (7, 17), (2, 2))
    expected = torch.stack(torch.meshgrid(torch.arange(7.0) * 2, torch.arange(17.0) * 2, indexing="ij"))[None]
    torch.testing.assert_close(fine, expected)


def test_a_map_already_on_the_stage_is_returned_untouched() -> None:
    maps = torch.randn(1, 1, 3, 3)
    assert to_finer_stage(maps, (2, 2), (3, 3), (2, 2)) is maps


def test_a_spread_grid_keeps_its_corners() -> None:
    grid = torch.randn(2, 1, 4, 4, 4)
    wide = spread(grid, (9, 6, 11))
    assert wide.shape == (2, 1, 9, 6, 11)
    torch.testing.assert_close(wide[:, :, ::8, ::5, ::10], grid[:, :, ::3, ::3, ::3])
