import copy
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training.networks.support import BACKBONES, FEATURES, LARGE, batch, on, small, wake
from training.networks import rivals
from training.networks.config import BackboneName, GmuConfig, MmaConfig
from training.networks.model import FusionNet
from training.networks.rivals import FUSIONS, RIVALS
from training.networks.rivals.cbam import Cbam
from training.networks.rivals.daft import Daft
from training.networks.rivals.film import Film
from training.networks.rivals.tabattention import TabAttention
from training.networks.rows import row

FOLDER = Path(rivals.__file__).parent
every_backbone = pytest.mark.parametrize("name", BACKBONES)


def test_every_row_is_one_file_and_every_file_one_row() -> None:
    files = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in {"__init__", "rival"})
    found = [import_module(f"training.networks.rivals.{stem}").RIVAL for stem in files]
    assert sorted(rival.name for rival in found) == sorted(RIVALS)
    assert [rival.number for rival in RIVALS.values()] == sorted(rival.number for rival in found)


def test_the_wide_unit_has_the_parameters_of_the_multi_head_one() -> None:
    for gate in ("vector", "scalar"):
        config = GmuConfig(width=64, heads=4, gate=gate)
        wide, several = (FUSIONS[name](96, 64, config) for name in ("gmu-wide", "mhgmu"))
        counts = [sum(p.numel() for p in unit.parameters()) for unit in (wide, several)]
        assert abs(counts[0] - counts[1]) < 2 * (96 + 64) + 3, "within one column of the unit"
        assert wide.heads == 1


@pytest.mark.parametrize("kind", [Film, Daft])
def test_film_and_daft_start_as_the_plain_network_and_then_scale_and_shift_channels(
    kind: type[Film] | type[Daft],
) -> None:
    module, features, e = kind(12, 8), torch.randn(3, 12, 4, 5), torch.randn(3, 8)
    assert torch.equal(module(features, e), features)
    wake(module)
    out = module(features, e)
    for case, channel in ((0, 0), (2, 7)):
        x, y = features[case, channel].flatten(), out[case, channel].flatten()
        slope = (y[1] - y[0]) / (x[1] - x[0])
        torch.testing.assert_close(y, slope * x + (y[0] - slope * x[0]), atol=1e-4, rtol=1e-4)


def test_film_asks_the_record_alone_and_daft_the_image_too() -> None:
    e = torch.randn(1, 8).expand(2, -1)
    features = torch.randn(2, 12, 4, 5)
    probe = torch.zeros(2, 12, 4, 5)
    for module, same in ((Film(12, 8), True), (Daft(12, 8), False)):
        wake(module)
        shifts = [module(part, e[:1]) - probe[:1] for part in (probe[:1], probe[:1])]
        assert torch.equal(shifts[0], shifts[1])
        scale = [
            (module(f[None], e[:1]) - module(f[None] * 0 + f.mean((1, 2), keepdim=True), e[:1]))
            / (f - f.mean((1, 2), keepdim=True))
            for f in features
        ]
        assert torch.allclose(scale[0].mean((2, 3)), scale[1].mean((2, 3)), atol=1e-3) is same


def test_cbam_is_its_equations() -> None:
    """sigmoid(MLP(mean) + MLP(max)) per channel, then sigmoid(conv([mean ; max])) per position, one number at a time."""
    config = MmaConfig(stages=(1,), kernel=(1, 1))
    cbam, features = Cbam(16, config), torch.randn(2, 16, 3, 4)
    gated = cbam(features, torch.zeros(2, 8))
    channel = torch.sigmoid(cbam.mlp(features.mean((2, 3))) + cbam.mlp(features.amax((2, 3))))
    weight, bias = cbam.conv.weight[0, :, 0, 0], cbam.conv.bias
    assert bias is not None
    for down in range(3):
        for across in range(4):
            at = features[:, :, down, across] * channel
            logit = weight[0] * at.mean(1) + weight[1] * at.amax(1) + bias
            torch.testing.assert_close(gated.logits[:, 0, down, across], logit)
            torch.testing.assert_close(gated.features[:, :, down, across], at * logit.sigmoid()[:, None])


def test_cbam_ignores_the_record_and_tabattention_does_not() -> None:
    config, features = MmaConfig(stages=(1,), kernel=(3, 3)), torch.randn(1, 16, 5, 6).expand(2, -1, -1, -1)
    e = torch.randn(2, 8)
    for module, same in ((Cbam(16, config), True), (TabAttention(16, 8, config), False)):
        gated = module(features, e)
        assert torch.allclose(gated.gate[0], gated.gate[1]) is same
        assert ((gated.gate > 0) & (gated.gate < 1)).all()


@every_backbone
@pytest.mark.parametrize("rival", ["film", "daft"])
def test_on_every_backbone_the_record_enters_inside_and_changes_nothing_before_training(
    rival: str, name: BackboneName
) -> None:
    net = FusionNet(row(on(name, 2), rival), FEATURES).eval()
    plain = FusionNet(row(on(name, 2), "image"), FEATURES).eval()
    plain.load_state_dict(net.state_dict(), strict=False)
    (image, values, missing), order = batch(2, LARGE), torch.tensor([1, 0])
    before = net(image, values, missing)
    torch.testing.assert_close(before.logits, plain(image, values, missing).logits)
    assert net.inner is not None
    wake(net.inner)
    answers = [
        net(image, some, missing[o]).logits for some, o in ((values, slice(None)), (values[order], order))
    ]
    assert not torch.allclose(answers[0], before.logits)
    assert not torch.allclose(answers[0], answers[1])


@pytest.mark.parametrize("rival", ["film", "daft"])
def test_a_copy_is_modulated_by_its_own_weights(rival: str) -> None:
    """The running average of the weights is a deep copy of the network."""
    net = FusionNet(row(small(), rival), FEATURES).eval()
    assert net.inner is not None
    wake(net.inner)
    twin, inputs = copy.deepcopy(net), batch()
    before = net(*inputs).logits
    torch.testing.assert_close(twin(*inputs).logits, before)
    assert twin.inner is not None
    for parameter in twin.inner.parameters():
        nn.init.zeros_(parameter)
    assert not torch.allclose(twin(*inputs).logits, before)
    torch.testing.assert_close(net(*inputs).logits, before)
    assert [hooks for module in net.modules() if (hooks := module._forward_hooks)] == []
