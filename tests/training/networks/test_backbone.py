from dataclasses import replace
from typing import Literal

import pytest
import torch
from monai.networks.nets.efficientnet import MBConvBlock
from torch import Tensor, nn

from tests.training.networks.support import BACKBONES
from training.networks.backbone import Backbone
from training.networks.config import BackboneConfig, BackboneName

PLANE = BackboneConfig(
    widths=(8, 8, 16, 16), width_multiplier=0.125, spatial_dims=2, stem_kernel=(5, 5), stem_stride=(2, 2)
)
every_backbone = pytest.mark.parametrize("name", BACKBONES)
MIRROR: dict[BackboneName, int] = {"resnet10": 64, "resnet18": 64, "densenet121": 46, "efficientnet-b0": 64}
"""A voxel about which the cells of all stages of a symmetric image lie symmetrically."""


def _leave(stage: int, features: Tensor) -> Tensor:  # noqa: ARG001
    return features


def _stages(backbone: Backbone, image: Tensor) -> dict[int, Tensor]:
    maps: dict[int, Tensor] = {}

    def note(stage: int, features: Tensor) -> Tensor:
        maps[stage] = features.detach()
        return features

    backbone(image, note)
    return maps


@every_backbone
def test_left_alone_it_is_monais_network(name: BackboneName) -> None:
    backbone = Backbone(replace(PLANE, depth=name), 3).eval()
    image = torch.randn(2, 3, 65, 47)
    torch.testing.assert_close(backbone(image, _leave).mean((2, 3)), backbone.net(image))


@every_backbone
def test_no_part_of_the_network_is_left_out(name: BackboneName) -> None:
    """A parameter no gradient reaches would be one that the walk forgot, and break distributed training."""
    backbone = Backbone(replace(PLANE, depth=name), 3)
    torch.autograd.backward(backbone(torch.randn(4, 3, 64, 64), _leave).square().mean())
    assert [key for key, p in backbone.named_parameters() if p.grad is None] == []


@every_backbone
@pytest.mark.parametrize("dims", [2, 3])
def test_stages_have_the_announced_channels_and_cells_for_odd_sizes_too(
    name: BackboneName, dims: Literal[2, 3]
) -> None:
    config = replace(
        PLANE, depth=name, spatial_dims=dims, stem_kernel=(3,) * dims, stem_stride=(1, 2, 2)[3 - dims :]
    )
    backbone = Backbone(config, 1).eval()
    for shape in ((18, 35, 40), (21, 46, 33)):
        image = torch.randn(1, 1, *shape[3 - dims :])
        for number, features in _stages(backbone, image).items():
            stage = backbone.stages[number - 1]
            assert features.shape[1:] == (stage.width, *stage.lattice.cells(image.shape[2:]))


@pytest.mark.parametrize("name", ["resnet10", "resnet18", "efficientnet-b0"])
def test_with_odd_kernels_padded_by_half_a_stage_has_a_cell_for_every_stride_begun(
    name: BackboneName,
) -> None:
    backbone = Backbone(replace(PLANE, depth=name), 1).eval()
    for shape in ((1, 1), (30, 31), (224, 225)):
        for number, features in _stages(backbone, torch.randn(1, 1, *shape)).items():
            strides = backbone.stages[number - 1].lattice.stride
            assert features.shape[2:] == tuple((n - 1) // s + 1 for n, s in zip(shape, strides, strict=True))


@every_backbone
def test_what_modulate_returns_goes_on(name: BackboneName) -> None:
    backbone = Backbone(replace(PLANE, depth=name), 1).eval()
    image = torch.randn(1, 1, 64, 64)
    silenced = backbone(image, lambda stage, features: features * (stage != 2))
    assert not torch.equal(silenced, backbone(image, _leave))
    torch.testing.assert_close(silenced, backbone(torch.zeros_like(image), lambda s, f: f * (s != 2)))


@every_backbone
def test_cells_lie_on_the_voxels_their_lattice_says(name: BackboneName) -> None:
    """With kernels that are even in space, an image that is its own mirror gives features that are theirs, about one voxel."""
    backbone = Backbone(replace(PLANE, depth=name), 1).double()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data[:] = module.weight.mean((2, 3), keepdim=True)
    half = torch.randn(1, 1, MIRROR[name], MIRROR[name] * 2 + 1).double()
    image = torch.cat([half, torch.randn_like(half[:, :, :1]), half.flip(2)], dim=2)
    for number, features in _stages(backbone.eval(), image).items():
        lattice = backbone.stages[number - 1].lattice
        first, last = lattice.offset[0], lattice.offset[0] + lattice.stride[0] * (features.shape[2] - 1)
        assert (first + last) / 2 == MIRROR[name]
        scaled = features / features.abs().max()
        torch.testing.assert_close(scaled, scaled.flip(2))
        assert not torch.allclose(scaled, scaled.flip(3)), "the other axis has no mirror"


@every_backbone
def test_moving_the_image_by_a_stride_moves_the_stage_by_a_cell(name: BackboneName) -> None:
    backbone = Backbone(replace(PLANE, depth=name, stem_kernel=(3, 3)), 1).eval()
    for module in backbone.modules():
        if isinstance(module, MBConvBlock):
            module.has_se = False  # it looks at the whole image, edges included
    step = backbone.stages[0].lattice.stride[0]
    image = torch.randn(1, 1, 64 + step, 64)
    here, there = (_stages(backbone, part)[1] for part in (image[:, :, step:], image[:, :, :-step]))
    edge = 7  # within which the zeros beyond the image are felt
    torch.testing.assert_close(here[:, :, edge:-edge], there[:, :, edge + 1 : there.shape[2] - edge + 1])


@every_backbone
def test_group_normalisation_reaches_every_layer(name: BackboneName) -> None:
    """MONAI's own `norm` argument changes a residual network's stem alone."""
    batch, group = (Backbone(replace(PLANE, depth=name, norm=norm), 1) for norm in ("batch", "group"))
    count = sum(isinstance(module, nn.BatchNorm2d) for module in batch.modules())
    kinds = [type(module) for module in group.modules()]
    assert nn.BatchNorm2d not in kinds
    assert kinds.count(nn.GroupNorm) == count > 0


@every_backbone
def test_the_inner_norm_can_give_up_its_scale_and_is_followed_by_an_activation(name: BackboneName) -> None:
    backbone = Backbone(replace(PLANE, depth=name), 1).eval()
    image, norm = torch.randn(2, 1, 64, 64), backbone.inner_norm
    before = backbone(image, _leave)
    assert backbone.without_inner_affine() > 0
    assert list(norm.parameters()) == []
    torch.testing.assert_close(backbone(image, _leave), before)
    with norm.register_forward_hook(lambda _module, _inputs, out: torch.full_like(out, -1e4)):
        silent = backbone(image, _leave)
    rest = {"resnet10": False, "resnet18": False}.get(name, True)
    assert bool((silent.abs() < 1e-3).all()) is rest, (
        "only a residual connection passes a silenced activation"
    )


def test_an_image_too_small_for_the_last_stage_is_refused_in_words() -> None:
    backbone = Backbone(replace(PLANE, depth="densenet121"), 1)
    with pytest.raises(ValueError, match="leaves no cell"):
        backbone(torch.zeros(1, 1, 20, 20), _leave)


def test_in_bfloat16_the_gradients_of_a_map_narrower_than_its_kernels_are_those_of_float32() -> None:
    """Two slices in the last stage: oneDNN would leave what lay in memory in the gradient of a 3 x 3 x 3 kernel."""
    torch.manual_seed(0)
    config = BackboneConfig(widths=(8, 8, 16, 16), stem_kernel=(3, 3, 3))
    backbone = Backbone(config, 1)
    image = torch.randn(4, 1, 16, 32, 32)
    assert backbone.stages[3].lattice.cells(image.shape[2:])[0] == 2
    last = backbone.net.get_submodule("layer4.0.conv2").get_parameter("weight")

    def gradient() -> Tensor:
        # What memory held before must not matter, and here it is large.
        torch.full((1_000_000,), 1e30)
        (found,) = torch.autograd.grad(backbone(image, _leave).square().mean(), last)
        return found

    exact = gradient()
    with torch.autocast("cpu", torch.bfloat16):
        for _ in range(3):
            torch.testing.assert_close(gradient(), exact, atol=0.1 * float(exact.abs().max()), rtol=0)


def test_a_residual_network_takes_its_imagenet_stem() -> None:
    config = replace(PLANE, depth="resnet18", stem_kernel=(7, 7), stem_pool=True)
    backbone = Backbone(config, 3).eval()
    assert backbone.stages[3].lattice.stride == (32, 32)
    image = torch.randn(1, 3, 64, 64)
    assert _stages(backbone, image)[4].shape[2:] == (2, 2)
    torch.testing.assert_close(backbone(image, _leave).mean((2, 3)), backbone.net(image))
