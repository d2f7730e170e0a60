import pytest
import torch
from torch import Tensor, nn

from training.networks.backbone import Backbone
from training.networks.config import BackboneConfig


def _leave(stage: int, features: Tensor) -> Tensor:  # noqa: ARG001
    return features


def _plane(depth: str = "resnet10", norm: str = "batch") -> BackboneConfig:
    return BackboneConfig(
        depth="resnet18" if depth == "resnet18" else "resnet10",
        norm="group" if norm == "group" else "batch",
        widths=(8, 8, 16, 16),
        spatial_dims=2,
        stem_kernel=(5, 5),
        stem_stride=(2, 2),
    )


@pytest.mark.parametrize("depth", ["resnet10", "resnet18"])
def test_left_alone_it_is_monais_network(depth: str) -> None:
    backbone = Backbone(_plane(depth), 3).eval()
    image = torch.randn(2, 3, 33, 47)
    pooled = backbone(image, _leave).mean((2, 3))
    torch.testing.assert_close(pooled, backbone.net(image))


@pytest.mark.parametrize("shape", [(6, 17, 15), (1, 1, 1), (28, 30, 31)])
def test_stages_have_the_announced_strides_for_odd_sizes_too(shape: tuple[int, ...]) -> None:
    backbone = Backbone(BackboneConfig(widths=(8, 8, 8, 8)), 1).eval()
    seen: dict[int, tuple[int, ...]] = {}

    def note(stage: int, features: Tensor) -> Tensor:
        seen[stage] = tuple(features.shape[2:])
        return features

    backbone(torch.randn(1, 1, *shape), note)
    for stage, found in seen.items():
        assert found == tuple((n - 1) // s + 1 for n, s in zip(shape, backbone.stride(stage), strict=True))


def test_what_modulate_returns_goes_on() -> None:
    backbone = Backbone(_plane(), 1).eval()
    image = torch.randn(1, 1, 32, 32)
    silenced = backbone(image, lambda stage, features: features * (stage != 2))
    assert not torch.equal(silenced, backbone(image, _leave))
    torch.testing.assert_close(silenced, backbone(torch.zeros_like(image), lambda s, f: f * (s != 2)))


def test_a_cell_is_centred_on_the_voxel_its_stride_says() -> None:
    """Moving the image by one cell moves the features by one cell, and cell 0 sees both sides of voxel 0 alike."""
    backbone = Backbone(_plane(), 1).double()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            # A symmetric, positive kernel: the response to an impulse is symmetric about the impulse.
            nn.init.constant_(module.weight, 0.1)
    backbone.eval()
    maps: dict[int, Tensor] = {}

    def note(stage: int, features: Tensor) -> Tensor:
        maps[stage] = features[0, 0]
        return features

    image = torch.zeros(1, 1, 129, 129, dtype=torch.double)
    image[0, 0, 64, 64] = 1
    backbone(image, note)
    for stage, response in maps.items():
        centre = 64 // backbone.stride(stage)[0]
        torch.testing.assert_close(response, response.flip(0))
        assert response[centre, centre] == response.max() > 0
        assert len(response) == 2 * centre + 1


def test_group_normalisation_reaches_every_layer() -> None:
    """MONAI's own `norm` argument changes the stem alone."""
    backbone = Backbone(_plane(norm="group"), 1)
    kinds = [type(module) for module in backbone.modules()]
    assert nn.BatchNorm2d not in kinds
    assert kinds.count(nn.GroupNorm) == 1 + 2 * 4 + 3
