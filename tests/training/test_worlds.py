"""Method, tests 8 and 9: worlds whose answer is known, learnt from outcomes alone (no mask ever reaches a loss)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from jaxtyping import Float32, Int64
from scipy.ndimage import binary_dilation
from sklearn.metrics import roc_auc_score
from torch import Tensor

from training.networks.config import (
    BackboneConfig,
    EhrConfig,
    GmuConfig,
    HeadConfig,
    MmaConfig,
    ModelConfig,
    Spatial,
)
from training.networks.effect import ehr_effect_map
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet, FusionOutput
from training.networks.rows import Row, row
from training.worlds import (
    FEATURES,
    NAMED_COLUMN,
    World,
    WorldName,
    make_world,
    with_other_blob_named,
    with_random_labels,
)

pytestmark = [pytest.mark.torch, pytest.mark.slow]

TRAINING, HELD_OUT, REFERENCES = 2000, 1000, 32
# Where attention ends up depends on the first weights, and through rounding on the processor: single runs of 16 epochs
# pointed at the named blob in 92 to 99 % of images, so the claim is about the mean of several.
SEEDS = (0, 1, 2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Maps this small cost more to share than to compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _config(spatial: Spatial = "softmax") -> ModelConfig:
    return ModelConfig(
        intensity="none",
        backbone=BackboneConfig(
            widths=(16, 16, 32, 32), spatial_dims=2, stem_kernel=(5, 5), stem_stride=(2, 2)
        ),
        ehr=EhrConfig(width=32, dropout=0, feature_dropout=0, record_dropout=0),
        mma=MmaConfig(stages=(2,), kernel=(5, 5), spatial=spatial, channel=False),
        gmu=GmuConfig(width=32, heads=4),
        head=HeadConfig(outcome="binary", dropout=0),
    )


def _tensors(world: World) -> tuple[Tensor, Tensor, Tensor]:
    values = torch.from_numpy(world.values)
    return torch.from_numpy(world.image), values, torch.zeros_like(values)


def _fit(config: ModelConfig, world: World, epochs: int, seed: int = 0) -> FusionNet:
    torch.manual_seed(seed)
    net, (image, values, missing) = FusionNet(config, FEATURES).train(), _tensors(world)
    target, size = torch.from_numpy(world.outcome), 50
    net.fit_statistics(values, missing)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
    steps = epochs * (len(target) // size) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps, pct_start=0.1)
    for _ in range(epochs):
        for some in torch.split(torch.randperm(len(target)), size):
            optimizer.zero_grad()
            output = net(image[some], values[some], missing[some])
            torch.autograd.backward(outcome_loss(output.logits, target[some], "binary"))
            optimizer.step()
            schedule.step()
    return net.eval()


@cache
def _trained(
    world: WorldName, name: Row, spatial: Spatial = "softmax", epochs: int = 8, seed: int = 0
) -> FusionNet:
    return _fit(row(_config(spatial), name), make_world(world, TRAINING, seed=1), epochs, seed)


def _guided_by_the_record() -> list[FusionNet]:
    return [_trained("graded", "mma+mhgmu", epochs=16, seed=seed) for seed in SEEDS]


def _held_out(world: WorldName) -> World:
    return make_world(world, HELD_OUT, seed=2)


@torch.no_grad()
def _answer(net: FusionNet, world: World) -> FusionOutput:
    output: FusionOutput = net(*_tensors(world))
    return output


def _auroc(net: FusionNet, world: World) -> float:
    return float(roc_auc_score(world.outcome, _answer(net, world).logits[:, 0]))


def _pointing(net: FusionNet, world: World) -> float:
    """Share of images whose attention peaks in the named blob, widened by a pixel: cells lie four pixels apart."""
    attention, stride = _answer(net, world).attention, net.stage_strides[0]
    cells = np.unravel_index(attention.flatten(1).argmax(1).numpy(), attention.shape[1:])
    row_, column = (index * step for index, step in zip(cells, stride, strict=True))
    every = np.arange(len(world.named))
    named = world.blobs[every, world.named]
    return float(binary_dilation(named, np.ones((1, 3, 3), dtype=np.bool_))[every, row_, column].mean())


def _effect_in_blobs(net: FusionNet, world: World) -> Float32[np.ndarray, "N 2"]:
    """[N, 2] mean of D_p inside the named blob and inside the other one."""
    image, values, missing = _tensors(world)
    effect = ehr_effect_map(net, image, values, missing, values[:REFERENCES], missing[:REFERENCES]).numpy()
    down, across = net.stage_strides[0]
    order = np.stack([world.named, 1 - world.named], axis=1)
    blobs = np.take_along_axis(world.blobs, order[..., None, None], axis=1)[:, :, ::down, ::across]
    total, cells = (effect[:, None] * blobs).sum((2, 3)), blobs.sum((2, 3))
    inside: Float32[np.ndarray, "N 2"] = total / cells
    return inside


def _ceiling(score: Callable[[World], Int64[np.ndarray, " N"]], world: WorldName) -> float:
    large = make_world(world, 4000, seed=3)
    return float(roc_auc_score(large.outcome, score(large)))


def _brightness(world: World) -> Int64[np.ndarray, " N"]:
    """Number of bright blobs, all the image can say in the graded world."""
    mean = (world.image * world.blobs).sum((2, 3)) / world.blobs.sum((2, 3))
    count: Int64[np.ndarray, " N"] = (mean > mean.mean(0)).sum(1)
    return count


def test_the_graded_world_caps_the_image_at_0_875_and_the_record_at_0_5() -> None:
    """P(y = 1) is 0, 1/2, 1 for zero, one, two bright blobs: AUROC 0.875."""
    assert _ceiling(_brightness, "graded") == pytest.approx(0.875, abs=0.02)
    assert _ceiling(lambda world: world.named, "graded") == pytest.approx(0.5, abs=0.03)


def test_the_xor_world_tells_nothing_to_the_image_or_the_record_alone() -> None:
    assert _ceiling(_brightness, "xor") == pytest.approx(0.5, abs=0.03)
    assert _ceiling(lambda world: world.named, "xor") == pytest.approx(0.5, abs=0.03)


def test_naming_the_other_blob_leaves_images_and_distractors_as_they_were() -> None:
    world = _held_out("graded")
    other = with_other_blob_named(world)
    rest = [column for column in range(len(FEATURES)) if column != NAMED_COLUMN]
    assert np.array_equal(other.image, world.image)
    assert np.array_equal(other.values[:, rest], world.values[:, rest])
    assert (other.named != world.named).all()
    assert np.array_equal(other.values[:, NAMED_COLUMN], other.named)


def test_worlds_are_reproducible_and_seeds_differ() -> None:
    one, two, other = (make_world("graded", 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.image, two.image)
    assert not np.array_equal(one.image, other.image)


def test_in_the_graded_world_the_full_model_passes_what_the_image_alone_can_reach() -> None:
    world = _held_out("graded")
    image, full = _auroc(_trained("graded", "image"), world), _auroc(_trained("graded", "mma+mhgmu"), world)
    assert 0.83 < image < 0.92
    assert full > 0.97


def test_in_the_xor_world_only_image_and_record_together_answer() -> None:
    world = _held_out("xor")
    assert _auroc(_trained("xor", "image", epochs=3), world) == pytest.approx(0.5, abs=0.08)
    assert _auroc(_trained("xor", "record"), world) == pytest.approx(0.5, abs=0.08)
    assert _auroc(_trained("xor", "mma+mhgmu"), world) > 0.97


def test_the_heatmap_goes_to_the_named_blob_and_moves_when_the_record_names_the_other() -> None:
    """Chance is 0.10: a widened blob covers about 105 of 1,024 pixels."""
    world, nets = _held_out("graded"), _guided_by_the_record()
    assert np.mean([_pointing(net, world) for net in nets]) >= 0.9
    assert np.mean([_pointing(net, with_other_blob_named(world)) for net in nets]) >= 0.9


def test_the_effect_map_is_positive_in_the_named_blob_and_negative_in_the_other() -> None:
    inside = np.concatenate([_effect_in_blobs(net, _held_out("graded")) for net in _guided_by_the_record()])
    assert (inside[:, 0] > 0).mean() >= 0.95
    assert (inside[:, 1] < 0).mean() >= 0.95


def test_blobs_of_one_look_are_told_apart_by_the_gate_that_knows_places() -> None:
    assert _auroc(_trained("places", "mma+mhgmu", "prior"), _held_out("places")) > 0.97


def test_random_outcomes_teach_nothing() -> None:
    world = with_random_labels(make_world("graded", TRAINING, seed=1), seed=5)
    net = _fit(_config(), world, epochs=3)
    assert _auroc(net, with_random_labels(_held_out("graded"), seed=6)) == pytest.approx(0.5, abs=0.08)


def test_a_record_that_does_not_matter_gains_nothing_and_moves_attention_little() -> None:
    world, net = _held_out("silent"), _trained("silent", "mma+mhgmu", epochs=4)
    assert _auroc(net, world) - _auroc(_trained("silent", "image", epochs=4), world) < 0.02
    mattering = _effect_in_blobs(_trained("graded", "mma+mhgmu"), _held_out("graded"))
    assert np.abs(_effect_in_blobs(net, world)).mean() < 0.2 * np.abs(mattering).mean()


def test_an_all_missing_record_gives_a_finite_image_led_answer() -> None:
    image, values, _ = _tensors(_held_out("graded"))
    with torch.no_grad():
        output = _trained("graded", "mma+mhgmu")(
            image, torch.full_like(values, torch.nan), torch.ones_like(values)
        )
    assert output.logits.isfinite().all()


def test_an_outcome_can_be_drawn_anew_without_touching_the_rest() -> None:
    world = _held_out("graded")
    drawn = with_random_labels(world, seed=9)
    assert replace(drawn, outcome=world.outcome) is not drawn
    assert np.array_equal(drawn.image, world.image)
    assert 0.4 < (drawn.outcome == world.outcome).mean() < 0.6
