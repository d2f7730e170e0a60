"""training.evaluation.faithfulness and fills: exact, on a network whose answer is the brightness of one place."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from app.imaging.volume import Modality
from tests.training.evaluation.map_support import (
    GRID,
    HEAD,
    LESION,
    SHAPE,
    SPOT,
    TISSUE,
    head_image,
    prepared,
    untrained,
)
from tests.training.networks.support import FEATURES, small
from training.calibrate import Scaling
from training.evaluation.attention_maps import Subjects
from training.evaluation.faithfulness import RANDOM, SHARES, Follow, area, judge_faithfulness
from training.evaluation.fills import blurred, mirrored, order_of, preferred_sides
from training.evaluation.network_maps import ATTENTION, GRAD_CAM_LAST, Cases, sample
from training.networks.config import HeadConfig
from training.networks.model import FusionNet, FusionOutput
from training.prepare import PreparedSet

PLAIN = Scaling(1.0, 0.0)
THRESHOLD, SCALE = 50.0, 5.0
RANDOM_ORDERS = 5


class Brightness(FusionNet):
    """Logit = (mean of the image over the spot - 50) / 5."""

    def forward(self, image: Tensor, values: Tensor, missing: Tensor) -> FusionOutput:  # noqa: ARG002
        spot = torch.from_numpy(SPOT)
        mean = (image[:, 0] * spot).flatten(1).sum(1) / spot.sum()
        empty = image.new_zeros(len(image), 0)
        return FusionOutput(((mean - THRESHOLD) / SCALE)[:, None], (), (), empty, empty, empty)


def probability(brightness: float) -> float:
    return 1 / (1 + math.exp(-(brightness - THRESHOLD) / SCALE))


def follow() -> Follow:
    config = small("image")
    net = Brightness(type(config)(**{**vars(config), "head": HeadConfig(outcome="binary")}), FEATURES)
    values = torch.zeros(1, len(FEATURES))
    case = Cases(np.array([0]), torch.from_numpy(head_image())[None, None], values, values)
    empty = np.zeros((1, 0), dtype=np.float32)
    nobody = PreparedSet((), (), empty, empty, np.zeros(0, np.int64), np.zeros(0, np.float32))
    return Follow(net, case, Subjects(nobody, case.index, GRID.spacing_mm, PLAIN), Modality.CT)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPE, dtype=np.float32)


def test_removing_the_place_that_decides_drops_the_probability_faster_than_any_random_order() -> None:
    case = follow()
    right = case.areas(SPOT.astype(np.float32), noise(0))
    for seed in range(RANDOM_ORDERS):
        chance = case.areas(noise(seed), noise(seed))
        assert right.deletion < chance.deletion - 0.1
        assert right.deletion_contralateral < chance.deletion_contralateral - 0.1
        assert right.insertion > chance.insertion + 0.1


def test_a_map_that_avoids_the_place_is_worse_than_any_random_order() -> None:
    case = follow()
    wrong = case.areas(1 - SPOT.astype(np.float32), noise(0))
    for seed in range(RANDOM_ORDERS):
        chance = case.areas(noise(seed), noise(seed))
        assert wrong.deletion > chance.deletion
        assert wrong.insertion < chance.insertion


def test_the_area_is_what_the_equation_says() -> None:
    """The spot, 28 of 1,343 voxels, is half gone at 1 % and wholly from 5 % on; opposite it lies even tissue."""
    pairs = preferred_sides(SPOT.astype(np.float32), HEAD, noise(0))
    found = follow().areas(SPOT.astype(np.float32), noise(0)).deletion_contralateral
    p = []
    for share in SHARES:
        left = max(SPOT.sum() - round(share * pairs.sum()), 0) / SPOT.sum()
        p.append(probability(TISSUE + left * (LESION - TISSUE)))
    assert found == pytest.approx(area(p), abs=1e-6)


def test_an_answer_that_never_moves_has_its_probability_for_an_area() -> None:
    assert area([0.3] * len(SHARES)) == pytest.approx(0.3)


def test_blur_leaves_the_surroundings_alone_and_smears_no_bone_and_no_air() -> None:
    image = head_image()
    image[HEAD & (np.indices(SHAPE)[1] < 5)] = 1000.0
    smooth = blurred(image, HEAD, Modality.CT, GRID.spacing_mm)
    assert np.array_equal(smooth[~HEAD], image[~HEAD])
    assert smooth[HEAD].min() >= TISSUE - 0.01
    assert smooth[HEAD].max() < LESION
    assert np.ptp(smooth[HEAD]) < np.ptp(np.where(SPOT, LESION, TISSUE))


def test_of_two_mirror_voxels_one_is_exchanged_and_it_is_the_more_attended() -> None:
    saliency = noise(1)
    chosen = preferred_sides(saliency, HEAD, noise(2))
    assert not (chosen & mirrored(chosen)).any()
    both = HEAD & mirrored(HEAD)
    middle = both & (np.indices(SHAPE)[2] == SHAPE[2] // 2)
    assert ((chosen | mirrored(chosen)) == (both & ~middle)).all()
    assert (saliency[chosen] > mirrored(saliency)[chosen]).all()


def test_voxels_leave_in_falling_order_and_ties_by_the_breaker() -> None:
    saliency, breaker = np.round(noise(1)), noise(2)
    order = order_of(saliency, HEAD, breaker)
    first = order.removed(0.1)
    rest = HEAD & ~first
    assert first.sum() == round(0.1 * HEAD.sum())
    assert saliency[first].min() >= saliency[rest].max()
    tied = saliency == saliency[first].min()
    assert breaker[first & tied].min() > breaker[rest & tied].max()
    assert not order.removed(1.0)[~HEAD].any()


def test_maps_of_a_network_are_followed_beside_a_random_order(tmp_path: Path) -> None:
    test = prepared(tmp_path, 3)
    subjects = Subjects(test, sample(test, 2, seed=0), GRID.spacing_mm, PLAIN)
    found = judge_faithfulness(untrained().net, subjects, Modality.CT)
    assert set(found) == {ATTENTION, GRAD_CAM_LAST, RANDOM}
    names = {"deletion", "insertion", "deletion_contralateral"}
    assert {metric.name for metric in found[RANDOM]} == names
    assert {metric.name for metric in found[ATTENTION]} == names | {"deletion_gain"}
    assert all(metric.n == 2 for metrics in found.values() for metric in metrics)
    assert found == judge_faithfulness(untrained().net, subjects, Modality.CT)
