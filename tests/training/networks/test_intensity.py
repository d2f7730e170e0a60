import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.networks.intensity import MR_LIMIT, CtWindows, MrZScore, make_intensity


def test_windows_are_brain_subdural_and_wide() -> None:
    hu = torch.tensor([-1024.0, -150, -20, 0, 40, 80, 180, 230, 3000]).view(1, 1, 1, 1, -1)
    brain, subdural, wide = CtWindows()(hu)[0].flatten(1)
    torch.testing.assert_close(brain, torch.tensor([0, 0, 0, 0, 0.5, 1, 1, 1, 1]))
    torch.testing.assert_close(subdural, torch.tensor([0, 0, 0, 0.1, 0.3, 0.5, 1, 1, 1]))
    torch.testing.assert_close(
        wide, torch.tensor([0, 0, 130 / 380, 150 / 380, 0.5, 230 / 380, 330 / 380, 1, 1])
    )


def _head(count: int = 2) -> torch.Tensor:
    """Air around a bright cube with texture."""
    image = torch.rand(count, 1, 8, 16, 16) * 5
    image[:, :, 1:7, 3:13, 3:13] += 200 + 30 * torch.randn(count, 1, 6, 10, 10)
    return image


@settings(deadline=None, max_examples=30)
@given(exponent=st.floats(-6, 6))
def test_the_scanners_unit_does_not_change_the_mr_channel(exponent: float) -> None:
    image = _head()
    torch.testing.assert_close(MrZScore()(image * 10**exponent), MrZScore()(image), atol=1e-4, rtol=1e-4)


def test_the_foreground_of_an_mr_image_has_mean_0_and_spread_1() -> None:
    image = _head()
    inside = image > image.mean((1, 2, 3, 4), keepdim=True)
    for z, mask in zip(MrZScore()(image), inside, strict=True):
        assert z[mask].mean().abs() < 0.02
        assert z[mask].std() == pytest.approx(1, abs=0.02)


def test_images_of_a_batch_are_normalised_apart() -> None:
    image = _head()
    alone = MrZScore()(image[:1])
    image[1] *= 1000
    torch.testing.assert_close(MrZScore()(image)[:1], alone)


@pytest.mark.parametrize("value", [0.0, -3.0, 700.0])
def test_a_constant_image_becomes_zero(value: float) -> None:
    assert not MrZScore()(torch.full((1, 1, 4, 4, 4), value)).abs().gt(1e-3).any()


def test_one_wild_voxel_is_clipped() -> None:
    image = _head()
    image[0, 0, 0, 0, 0] = 1e7
    z = MrZScore()(image)
    assert z.isfinite().all()
    assert z.abs().max() <= MR_LIMIT


def test_none_leaves_intensities_alone() -> None:
    image = _head()
    assert torch.equal(make_intensity("none")(image), image)
