from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.networks.support import BACKBONES, FEATURES, LARGE, batch, on, small, wake
from training.networks.config import BackboneName, EhrConfig, MmaConfig, ModelConfig
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet, FusionOutput

FUSIONS: Sequence[str] = ("image", "record", "concat", "late", "gmu", "mhgmu")
every_backbone = pytest.mark.parametrize("name", BACKBONES)


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
    fusion: str, shape: tuple[int, ...]
) -> None:
    net = _net(small(fusion))
    output = net(*batch(1, shape))
    assert output.logits.shape == (1, 4)
    assert output.embedding.shape == (1, net.embedding_size)
    assert output.image_share.shape == (1, net.heads)
    assert len(output.stage_logits) == len(output.gates) == len(net.stage_lattices)
    assert all(tensor.isfinite().all() for tensor in _tensors(output))


@every_backbone
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("fusion", ["concat", "mhgmu"])
def test_on_every_backbone_attention_changes_nothing_before_training(
    name: BackboneName, dims: Literal[2, 3], fusion: str
) -> None:
    """Method, tests 1 and 2: shapes for odd sizes and a single case, and the identity."""
    gated = FusionNet(on(name, dims, small(fusion)), FEATURES).eval()
    off = replace(gated.config.mma, spatial="none", channel=False)
    plain = FusionNet(replace(gated.config, mma=off), FEATURES).eval()
    plain.load_state_dict({key: t for key, t in gated.state_dict().items() if not key.startswith("mma.")})
    inputs = batch(1, LARGE)
    output = gated(*inputs)
    assert torch.equal(output.logits, plain(*inputs).logits)
    for logits, lattice in zip(output.stage_logits, gated.stage_lattices, strict=True):
        assert logits.shape == (1, 1, *lattice.cells(LARGE))
    assert output.attention.shape == (1, *gated.stage_lattices[0].cells(LARGE))


@every_backbone
def test_on_every_backbone_missing_values_give_finite_outputs_and_gradients(name: BackboneName) -> None:
    """Method, test 5."""
    net = _net(on(name, 2)).train()
    image, values, _ = batch(2, LARGE)
    output = net(image, torch.full_like(values, torch.nan), torch.ones_like(values))
    torch.autograd.backward(outcome_loss(output.logits, torch.tensor([0, 4]), "ordinal5"))
    assert all(tensor.isfinite().all() for tensor in _tensors(output))
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)


@pytest.mark.parametrize("slice_pooling", ["mean", "attention"])
def test_a_patients_slices_may_come_in_any_order(slice_pooling: Literal["mean", "attention"]) -> None:
    """A 2D network has no axis across slices: exchanged slices exchange their maps and change no answer."""
    config = on("resnet10", 2)
    net = _net(replace(config, backbone=replace(config.backbone, slice_pooling=slice_pooling)))
    image, values, missing = batch(2, (5, 33, 21))
    order = torch.tensor([3, 0, 4, 1, 2])
    before, after = net(image, values, missing), net(image[:, :, order], values, missing)
    torch.testing.assert_close(after.logits, before.logits)
    torch.testing.assert_close(after.attention, before.attention[:, order])
    for gate, moved in zip(before.gates, after.gates, strict=True):
        torch.testing.assert_close(moved, gate[:, :, order])


def test_each_slice_gets_its_own_patients_record() -> None:
    """Gates of one patient's slices stay when the other patient's record changes."""
    net = _net(on("resnet10", 2))
    image, values, missing = batch(2, (5, 33, 21))
    other = values.clone()
    other[1] += 1
    before, after = net(image, values, 0 * missing), net(image, other, 0 * missing)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(before.gates, after.gates, strict=True))
    assert not any(torch.equal(a[1], b[1]) for a, b in zip(before.gates, after.gates, strict=True))


def test_a_part_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"'sum'.*'mhgmu'"):
        FusionNet(replace(small(), fusion="sum"), FEATURES)
    with pytest.raises(ValueError, match=r"'tilt'.*'daft'"):
        FusionNet(replace(small(), modulation="tilt"), FEATURES)


def test_maps_have_the_cells_their_strides_announce() -> None:
    net, inputs = _net(), batch(2)
    for logits, lattice in zip(net(*inputs).stage_logits, net.stage_lattices, strict=True):
        assert logits.shape[2:] == tuple(
            (n - 1) // s + 1 for n, s in zip(inputs[0].shape[2:], lattice.stride, strict=True)
        )


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_batch_gives_what_its_cases_give_one_by_one(fusion: str) -> None:
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
