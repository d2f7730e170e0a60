"""training.learning.augment: the mask moves with the image, and nothing moves when nothing is asked for."""

import pytest
import torch

from training.config import AugmentationConfig
from training.learning.augment import augment

STILL = AugmentationConfig(flip_probability=0, shift_voxels=0)
FILL = -1024.0


def block(batch: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.zeros(batch, 1, 8, 20, 20)
    mask[:, :, 3:5, 8:12, 2:7] = 1
    return torch.where(mask > 0, 60.0, FILL), mask


def run(config: AugmentationConfig, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    return augment(*block(), config, torch.Generator().manual_seed(seed), FILL)


def test_nothing_changes_when_nothing_is_asked_for() -> None:
    image, mask = block()
    changed, changed_mask = run(STILL)
    assert torch.equal(image, changed)
    assert torch.equal(mask, changed_mask)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "config",
    [
        AugmentationConfig(flip_probability=0.5, shift_voxels=0),
        AugmentationConfig(flip_probability=0, shift_voxels=2),
        AugmentationConfig(flip_probability=0, shift_voxels=0, rotation_degrees=20, scale=0.1),
    ],
)
def test_the_mask_moves_with_the_image(config: AugmentationConfig, seed: int) -> None:
    image, mask = run(config, seed)
    share = (image - FILL) / (60 - FILL)
    assert torch.allclose(share, mask, atol=1e-4)
    assert mask.sum() > 0.5 * block()[1].sum()


def test_a_shift_fills_with_air() -> None:
    image, _ = run(AugmentationConfig(flip_probability=0, shift_voxels=2))
    assert set(image.flatten().tolist()) == {60.0, FILL}


def test_a_shift_pushes_no_slice_out_of_an_image_of_few() -> None:
    slices = torch.arange(1.0, 4.0)[None, None, :, None, None].expand(2, 1, 3, 32, 32)
    config = AugmentationConfig(flip_probability=0, shift_voxels=2)
    for seed in range(12):
        moved, _ = augment(slices, slices, config, torch.Generator().manual_seed(seed), 0.0)
        assert moved[0, 0, :, 16, 16].tolist() == [1.0, 2.0, 3.0]


def test_scaling_mixes_no_slice_of_an_image_of_few_with_its_neighbours() -> None:
    slices = torch.arange(1.0, 4.0)[None, None, :, None, None].expand(2, 1, 3, 32, 32)
    config = AugmentationConfig(flip_probability=0, shift_voxels=0, scale=0.3)
    for seed in range(6):
        scaled, _ = augment(slices, slices, config, torch.Generator().manual_seed(seed), 0.0)
        torch.testing.assert_close(scaled[:, 0, :, 16, 16], torch.tensor([[1.0, 2.0, 3.0]] * 2))


def test_a_quarter_turn_keeps_the_shape_of_a_cube() -> None:
    mask = torch.zeros(1, 1, 4, 20, 12)
    mask[:, :, :, 8:12, 4:8] = 1
    turned, _ = augment(
        mask, mask, AugmentationConfig(0, 0, rotation_degrees=90), torch.Generator().manual_seed(3), 0.0
    )
    assert turned.sum().item() == pytest.approx(mask.sum().item(), rel=0.1)


def test_noise_and_intensity_leave_the_mask_alone() -> None:
    image, mask = run(AugmentationConfig(0, 0, intensity=0.1, noise=5.0))
    assert torch.equal(mask, block()[1])
    assert not torch.equal(image, block()[0])
