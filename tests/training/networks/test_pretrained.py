from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.networks.support import FEATURES, batch, small
from training.networks.backbone import Backbone
from training.networks.model import FusionNet
from training.networks.pretrained import PretrainedWeightsError, load_weights


def _saved(path: Path, state: object) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize(
    ("prefix", "wrapper"), [("", None), ("module.", "state_dict"), ("backbone.net.", "state")]
)
def test_a_state_dict_fills_the_network_whatever_it_is_wrapped_in(
    prefix: str, wrapper: str | None, tmp_path: Path
) -> None:
    source, target = (Backbone(small().backbone, 3).net for _ in range(2))
    state = {prefix + name: tensor for name, tensor in source.state_dict().items()}
    share = load_weights(target, _saved(tmp_path / "w.pt", {wrapper: state} if wrapper else state))
    assert share == 1
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name])


def test_a_first_convolution_for_other_channels_keeps_its_random_start(tmp_path: Path) -> None:
    source, target = Backbone(small().backbone, 1).net, Backbone(small().backbone, 3).net
    before = target.get_parameter("conv1.weight").clone()
    assert 0.9 < load_weights(target, _saved(tmp_path / "w.pt", source.state_dict())) < 1
    assert torch.equal(target.get_parameter("conv1.weight"), before)
    last = "layer4.0.conv2.weight"
    assert torch.equal(target.get_parameter(last), source.get_parameter(last))


def test_a_file_of_another_network_is_refused_and_leaves_the_network_as_it_was(tmp_path: Path) -> None:
    net = Backbone(small().backbone, 3).net
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(PretrainedWeightsError, match="fills 0%"):
        load_weights(net, _saved(tmp_path / "w.pt", {"encoder.weight": torch.zeros(3)}))
    (tmp_path / "text.pt").write_text("not a state dict", encoding="utf-8")
    with pytest.raises(PretrainedWeightsError, match="cannot read"):
        load_weights(net, tmp_path / "text.pt")
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_network_is_built_without_the_file_and_filled_when_training_starts(tmp_path: Path) -> None:
    """So that a checkpoint opens where the file is not."""
    source = FusionNet(small("image"), FEATURES).eval()
    path = _saved(tmp_path / "w.pt", source.state_dict())
    config = replace(small("image"), backbone=replace(small().backbone, weights=str(path)))
    net = FusionNet(config, FEATURES).eval()
    inputs = batch()
    assert not torch.allclose(net(*inputs).logits, source(*inputs).logits)
    net.load_pretrained()
    net.head.load_state_dict(source.head.state_dict())
    torch.testing.assert_close(net(*inputs).logits, source(*inputs).logits)
