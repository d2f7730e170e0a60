import pytest
import torch

from tests.training.networks.support import FEATURES, batch, small, wake
from training.networks.config import MmaConfig
from training.networks.effect import ehr_effect_map
from training.networks.model import FusionNet


def _net(mma: MmaConfig | None = None) -> FusionNet:
    net = FusionNet(small(mma=mma), FEATURES).eval()
    wake(net)
    return net


def test_a_record_compared_with_itself_has_no_effect() -> None:
    net, (image, values, missing) = _net(), batch(1)
    effect = ehr_effect_map(net, image, values, missing, values.expand(3, -1), missing.expand(3, -1))
    assert effect.abs().max() < 1e-5


def test_effects_of_all_reference_records_on_one_image_average_to_nothing() -> None:
    """In one gated stage, where the features are the same for all: mean over e of (l(e) - mean l) = 0."""
    net = _net(MmaConfig(stages=(2,), kernel=(3, 3, 3)))
    _, values, missing = batch(4)
    image = batch(1)[0].expand(4, -1, -1, -1, -1)
    effect = ehr_effect_map(net, image, values, missing, values, missing)
    assert effect.abs().max() > 1e-3
    assert effect.mean(0).abs().max() < 1e-5


def test_what_the_image_alone_asks_for_cancels() -> None:
    net = _net(MmaConfig(stages=(1,), kernel=(3, 3, 3), channel=False))
    inputs, references = batch(2), batch(3)[1:]
    before = ehr_effect_map(net, *inputs, *references)
    torch.nn.init.normal_(net.mma["1"].spatial.image.weight)  # type: ignore[union-attr, arg-type]
    torch.testing.assert_close(ehr_effect_map(net, *inputs, *references), before)


def test_a_network_that_does_not_use_the_record_has_no_effect_map() -> None:
    net = _net(MmaConfig(stages=(1, 2), kernel=(3, 3, 3), use_ehr=False))
    assert ehr_effect_map(net, *batch(2), *batch(3)[1:]).abs().max() < 1e-5


def test_the_map_lies_on_the_finest_gated_stage() -> None:
    net, inputs = _net(), batch(2)
    assert ehr_effect_map(net, *inputs, *batch(3)[1:]).shape == net(*inputs).attention.shape


def test_a_network_without_a_spatial_gate_is_refused() -> None:
    net = _net(MmaConfig(spatial="none", kernel=(3, 3, 3)))
    with pytest.raises(ValueError, match="spatial gate"):
        ehr_effect_map(net, *batch(1), *batch(2)[1:])


def test_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation mode"):
        ehr_effect_map(_net().train(), *batch(1), *batch(2)[1:])
