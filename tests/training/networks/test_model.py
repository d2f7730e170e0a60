from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.networks.support import FEATURES, batch, small, wake
from training.networks.config import BackboneConfig, EhrConfig, Fusion, MmaConfig, ModelConfig
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet, FusionOutput

FUSIONS: Sequence[Fusion] = ("image", "record", "concat", "late", "gmu", "mhgmu")


def _net(config: ModelConfig | None = None) -> FusionNet:
    net = FusionNet(config or small(), FEATURES).eval()
    wake(net)
    return net


def _tensors(output: FusionOutput) -> tuple[torch.Tensor, ...]:
    return (
        output.logits,
        *output.stage_logits,
        *output.gates,
        output.image_share,
        output.embedding,
        output.attention,
    )


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("shape", [(6, 17, 15), (5, 5, 5)])
def test_every_row_of_the_table_answers_for_odd_sizes_and_a_single_case(
    fusion: Fusion, shape: tuple[int, ...]
) -> None:
    net = _net(small(fusion))
    output = net(*batch(1, shape))
    assert output.logits.shape == (1, 4)
    assert output.embedding.shape == (1, net.embedding_size)
    assert output.image_share.shape == (1, net.heads)
    assert len(output.stage_logits) == len(output.gates) == len(net.stage_strides)
    assert all(tensor.isfinite().all() for tensor in _tensors(output))


def test_it_works_on_slices_too() -> None:
    plane = BackboneConfig(widths=(8, 8, 16, 16), spatial_dims=2, stem_kernel=(3, 3), stem_stride=(2, 2))
    config = replace(small(), backbone=plane, mma=MmaConfig(stages=(2, 3), kernel=(7, 7)))
    output = _net(config)(*batch(2, (33, 21)))
    assert [tuple(one.shape) for one in output.stage_logits] == [(2, 1, 9, 6), (2, 1, 5, 3)]
    assert output.attention.shape == (2, 9, 6)


def test_maps_have_the_cells_their_strides_announce() -> None:
    net, inputs = _net(), batch(2)
    for logits, stride in zip(net(*inputs).stage_logits, net.stage_strides, strict=True):
        assert logits.shape[2:] == tuple(
            (n - 1) // s + 1 for n, s in zip(inputs[0].shape[2:], stride, strict=True)
        )


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_batch_gives_what_its_cases_give_one_by_one(fusion: Fusion) -> None:
    net, inputs = _net(small(fusion)), batch(4)
    together = _tensors(net(*inputs))
    apart = [_tensors(net(*(tensor[i : i + 1] for tensor in inputs))) for i in range(4)]
    for whole, parts in zip(together, zip(*apart, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.cat(parts), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("channel", [True, False])
def test_attention_leaves_the_backbone_intact_before_training(channel: bool) -> None:
    """Method, test 2, for the whole network: with and without MMA the same weights give the same answer."""
    gated = FusionNet(small(mma=MmaConfig(stages=(1, 2), kernel=(3, 3, 3), channel=channel)), FEATURES).eval()
    plain = FusionNet(small(mma=MmaConfig(spatial="none", channel=False)), FEATURES).eval()
    plain.load_state_dict({name: t for name, t in gated.state_dict().items() if not name.startswith("mma.")})
    inputs = batch()
    assert torch.equal(gated(*inputs).logits, plain(*inputs).logits)


@settings(deadline=None, max_examples=15)
@given(flags=st.lists(st.booleans(), min_size=8, max_size=8))
def test_any_pattern_of_missing_values_gives_finite_outputs_and_gradients(flags: list[bool]) -> None:
    """Method, test 5."""
    net = _net().train()
    image, values, _ = batch(2)
    missing = torch.tensor(flags, dtype=torch.float32).view(2, 4)
    output = net(image, torch.where(missing > 0, float("nan"), values), missing)
    torch.autograd.backward(outcome_loss(output.logits, torch.tensor([0, 4]), "ordinal5"))
    assert all(tensor.isfinite().all() for tensor in _tensors(output))
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)


def test_a_value_under_the_missing_flag_has_no_effect_anywhere() -> None:
    net, (image, values, missing) = _net(), batch()
    junk = torch.where(missing > 0, 1e9, values)
    for a, b in zip(_tensors(net(image, values, missing)), _tensors(net(image, junk, missing)), strict=True):
        assert torch.equal(a, b)


def test_without_the_record_in_attention_gates_stay_when_records_are_exchanged() -> None:
    """Method, test 6: the gates do not move, the fused answer does."""
    net = _net(small(mma=MmaConfig(stages=(1, 2), kernel=(3, 3, 3), use_ehr=False)))
    image, values, missing = batch(4)
    order = torch.tensor([2, 3, 1, 0])
    before, after = net(image, values, missing), net(image, values[order], missing[order])
    assert all(torch.equal(a, b) for a, b in zip(before.gates, after.gates, strict=True))
    assert not torch.allclose(before.logits, after.logits)


def test_the_image_row_ignores_the_record_and_the_record_row_the_image() -> None:
    image, values, missing = batch(4)
    order = torch.tensor([2, 3, 1, 0])
    by_image, by_record = _net(small("image")), _net(small("record"))
    seen = by_image(image, values, missing).logits
    assert torch.equal(by_image(image, values[order], missing[order]).logits, seen)
    known = by_record(image, values, missing).logits
    assert torch.equal(by_record(image[order], values, missing).logits, known)
    assert not hasattr(by_record, "backbone")


def test_statistics_are_fitted_from_the_rows_given_and_move_by_no_other() -> None:
    """Method, test 7."""
    net, (_, values, missing) = FusionNet(small(), FEATURES), batch(40)
    net.fit_statistics(values[:20], missing[:20])
    fitted = net.ehr.standardise.mean.clone()
    values[20:] *= 1000
    net.fit_statistics(values[:20], missing[:20])
    assert torch.equal(net.ehr.standardise.mean, fitted)
    assert fitted.any()


def test_every_parameter_of_the_full_model_takes_part_in_training() -> None:
    net = _net(small(ehr=EhrConfig(width=16, feature_dropout=0.5))).train()
    output = net(*batch(8))
    torch.autograd.backward(outcome_loss(output.logits, torch.arange(8) % 5, "ordinal5"))
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_weights_survive_saving_and_loading() -> None:
    net, inputs = _net(), batch()
    net.fit_statistics(*batch(30)[1:])
    copy = FusionNet(small(), FEATURES).eval()
    copy.load_state_dict(net.state_dict())
    assert torch.equal(copy(*inputs).logits, net(*inputs).logits)
