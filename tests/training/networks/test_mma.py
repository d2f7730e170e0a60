import pytest
import torch

from tests.training.networks.support import wake
from training.names import Spatial
from training.networks.config import MmaConfig
from training.networks.mma import ChannelGate, Mma, SpatialGate

SPATIAL: tuple[Spatial, ...] = ("dot", "prior", "softmax", "none")


def _config(
    spatial: Spatial = "dot", dims: int = 3, *, channel: bool = True, use_ehr: bool = True
) -> MmaConfig:
    return MmaConfig(spatial=spatial, kernel=(3,) * dims, channel=channel, use_ehr=use_ehr)


@pytest.mark.parametrize("spatial", SPATIAL)
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (3, 5, 7), (1, 2, 1)])
def test_before_training_the_module_changes_nothing(spatial: Spatial, shape: tuple[int, ...]) -> None:
    features = torch.randn(2, 16, *shape)
    assert torch.equal(
        Mma(16, 8, _config(spatial, len(shape)))(features, torch.randn(2, 8)).features, features
    )


@pytest.mark.parametrize("spatial", SPATIAL)
def test_every_part_is_reached_by_training(spatial: Spatial) -> None:
    """Two zeros in a product would be a point that no gradient leaves; a few steps must move every parameter."""
    mma, features, e = Mma(16, 8, _config(spatial)), torch.randn(4, 16, 3, 4, 5), torch.randn(4, 8)
    before = {name: p.detach().clone() for name, p in mma.named_parameters()}
    optimizer = torch.optim.SGD(mma.parameters(), lr=0.1)
    target = torch.randn_like(features)
    for _ in range(4):
        optimizer.zero_grad()
        (mma(features, e).features * target).mean().mul(100).backward()
        optimizer.step()
    assert [name for name, p in mma.named_parameters() if torch.equal(p, before[name])] == []


@pytest.mark.parametrize("spatial", ["dot", "prior", "softmax"])
def test_the_logits_follow_the_record_where_the_image_is_the_same(spatial: Spatial) -> None:
    mma = Mma(16, 8, _config(spatial))
    wake(mma)
    features = torch.randn(1, 16, 4, 4, 4).expand(2, -1, -1, -1, -1)
    logits = mma(features, torch.randn(2, 8)).logits
    assert not torch.allclose(logits[0], logits[1], atol=1e-3)


def test_the_control_without_the_record_ignores_it_and_has_the_same_parameters() -> None:
    full, control = Mma(16, 8, _config()), Mma(16, 8, _config(use_ehr=False))
    wake(control)
    features, e = torch.randn(5, 16, 4, 4, 4), torch.randn(5, 8)
    a, b = control(features, e), control(features, e[torch.tensor([3, 0, 4, 1, 2])])
    assert torch.equal(a.gate, b.gate)
    assert torch.equal(a.features, b.features)
    assert not torch.allclose(a.gate, torch.ones(()))
    count = [sum(p.numel() for p in module.parameters()) for module in (full, control)]
    assert count[1] - count[0] == 8, "one constant of the record's width"


def test_gates_stay_between_0_and_2() -> None:
    mma = Mma(16, 8, _config())
    wake(mma, 10)
    features = torch.rand(2, 16, 4, 4, 4)
    gated = mma(features, torch.randn(2, 8))
    assert gated.gate is not None
    assert gated.gate.min() >= 0
    assert gated.gate.max() <= 2
    assert ((gated.features >= 0) & (gated.features <= 4 * features + 1e-5)).all()


def test_the_softmax_gate_moves_attention_about_and_keeps_its_mean() -> None:
    mma = Mma(16, 8, _config("softmax", channel=False))
    wake(mma)
    gate = mma(torch.randn(2, 16, 4, 4, 4), torch.randn(2, 8)).gate
    torch.testing.assert_close(gate.flatten(1).mean(1), torch.ones(2))
    assert gate.std() > 1e-3


def test_the_softmax_gate_is_never_low_where_its_logits_are_high() -> None:
    gate = SpatialGate(16, 8, _config("softmax", 2, channel=False))
    wake(gate)
    features, e = torch.randn(1, 16, 6, 6), torch.randn(1, 8)
    for gamma in (2.0, 0.3, -1.0):
        torch.nn.init.constant_(gate.gamma, gamma)
        logits, gs = (one.flatten() for one in gate(features, e))
        assert (gs[logits.argsort()].diff() >= 0).all()


def test_the_dot_gate_moves_with_what_it_looks_at_and_the_prior_gate_stays() -> None:
    features, e = torch.randn(1, 16, 8, 8), torch.randn(1, 8)
    for spatial, moves in (("dot", True), ("prior", False)):
        gate = SpatialGate(16, 8, _config(spatial, 2))  # type: ignore[arg-type]
        wake(gate)
        torch.nn.init.zeros_(gate.image.weight)
        here, there = gate(features, e)[0], gate(features.roll(3, -1), e)[0].roll(-3, -1)
        assert torch.allclose(here, there, atol=1e-5) == moves


def test_the_channel_gate_is_one_number_per_channel() -> None:
    gate = ChannelGate(16, 8)
    wake(gate)
    out = gate(torch.randn(2, 16, 3, 4, 5), torch.randn(2, 8))
    assert out.shape == (2, 16, 1, 1, 1)
    assert out.std() > 0


def test_logits_are_what_the_equation_says() -> None:
    """<Wq e, LN(Wk F_p)> / sqrt(da), computed position by position."""
    gate = SpatialGate(16, 8, _config("dot", 2, channel=False))
    wake(gate)
    torch.nn.init.zeros_(gate.image.weight)
    torch.nn.init.zeros_(gate.image.bias)  # type: ignore[arg-type]
    features, e = torch.randn(1, 16, 2, 3), torch.randn(1, 8)
    logits, gs = gate(features, e)
    for row in range(2):
        for column in range(3):
            key = gate.key_norm(gate.key(features[0, :, row, column]))
            expected = (gate.query(e)[0] * key).sum() / 4**0.5
            torch.testing.assert_close(logits[0, 0, row, column], expected)
    torch.testing.assert_close(gs, 2 * logits.sigmoid())
