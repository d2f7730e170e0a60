from typing import Literal

import pytest
import torch
from torch import nn

from training.networks.config import GmuConfig
from training.networks.gmu import Gmu, HeadwiseLinear, MultiHeadGmu


def test_one_head_with_identity_maps_and_no_norms_is_the_plain_unit() -> None:
    """Method, test 3."""
    config = GmuConfig(width=12, heads=1)
    plain, many = Gmu(12, 12, config), MultiHeadGmu(12, 12, config)
    many.image_norm, many.record_norm, many.norm = nn.Identity(), nn.Identity(), nn.Identity()
    with torch.no_grad():
        for eye in (many.image_subspaces, many.record_subspaces, many.mix):
            eye.weight.copy_(torch.eye(12))
        many.mix.bias.zero_()
        pairs = ((many.image, plain.image), (many.record, plain.record), (many.gate, plain.gate))
        for ours, theirs in pairs:
            ours.weight.copy_(theirs.weight.T[None])
            ours.bias.copy_(theirs.bias[None])
    v, e = torch.randn(5, 12), torch.randn(5, 12)
    for a, b in zip(many(v, e), plain(v, e), strict=True):
        torch.testing.assert_close(a, b)


def test_a_heads_gate_does_not_see_other_heads_subspaces() -> None:
    """Were it to, all heads together would be one wide unit and the row of the table would mean nothing."""
    unit = MultiHeadGmu(10, 6, GmuConfig(width=16, heads=4))
    vi, ei = torch.randn(3, 4, 4), torch.randn(3, 4, 4)
    before = unit.gates(vi, ei)
    for head in range(4):
        others = [i for i in range(4) if i != head]
        v2, e2 = vi.clone(), ei.clone()
        v2[:, others], e2[:, others] = torch.randn(2, 3, 3, 4)
        after = unit.gates(v2, e2)
        assert torch.equal(after[:, head], before[:, head])
        assert not torch.allclose(after[:, others], before[:, others])


def test_norms_of_subspaces_are_apart() -> None:
    """Through the whole unit: scaling what feeds one head leaves the image shares of the others alone."""
    unit = MultiHeadGmu(10, 6, GmuConfig(width=16, heads=4)).eval()
    v, e = torch.randn(3, 10), torch.randn(3, 6)
    _, before = unit(v, e)
    with torch.no_grad():
        unit.image_subspaces.weight[:4] = torch.randn(4, 10) * 5
    _, after = unit(v, e)
    assert torch.equal(after[:, 1:], before[:, 1:])
    assert not torch.equal(after[:, 0], before[:, 0])


@pytest.mark.parametrize("gate", ["vector", "scalar"])
@pytest.mark.parametrize("heads", [1, 2, 8])
def test_each_head_reports_a_share_within_0_and_1(gate: Literal["vector", "scalar"], heads: int) -> None:
    fused, share = MultiHeadGmu(10, 6, GmuConfig(width=16, heads=heads, gate=gate))(
        torch.randn(3, 10), torch.randn(3, 6)
    )
    assert fused.shape == (3, 16)
    assert share.shape == (3, heads)
    assert ((share > 0) & (share < 1)).all()


@pytest.mark.parametrize("unit_class", [Gmu, MultiHeadGmu])
def test_an_open_gate_takes_the_image_and_a_closed_one_the_record(unit_class: type[nn.Module]) -> None:
    unit = unit_class(10, 6, GmuConfig(width=16, heads=1 if unit_class is Gmu else 4))
    gate = unit.get_submodule("gate")
    v, e = torch.randn(2, 3, 10).unbind(), torch.randn(2, 3, 6).unbind()
    for bias, share, same, differ in (
        (50.0, 1.0, (v[0], e[1]), (v[1], e[0])),
        (-50.0, 0.0, (v[1], e[0]), (v[0], e[1])),
    ):
        nn.init.constant_(gate.get_parameter("bias"), bias)
        fused, shares = unit(v[0], e[0])
        torch.testing.assert_close(shares, torch.full_like(shares, share))
        torch.testing.assert_close(unit(*same)[0], fused)
        assert not torch.allclose(unit(*differ)[0], fused)


def test_headwise_layers_are_separate_linear_layers() -> None:
    layer = HeadwiseLinear(3, 4, 5)
    x = torch.randn(2, 3, 4)
    expected = torch.stack([x[:, i] @ layer.weight[i] + layer.bias[i] for i in range(3)], dim=1)
    torch.testing.assert_close(layer(x), expected)
