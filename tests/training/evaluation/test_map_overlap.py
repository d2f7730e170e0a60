"""training.evaluation.map_overlap: the numbers of maps whose worth is known."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import average_precision_score

from training.evaluation.map_overlap import THRESHOLDS, Overlap, Region, overlap

SHAPE = (5, 8, 9)
MASK = np.zeros(SHAPE, dtype=np.bool_)
MASK[1:3, 2:5, 3:6] = True
REGION = Region.of(MASK, (1, 1, 1))
MAPS = arrays.arrays(np.float32, SHAPE, elements=st.floats(-4, 4, width=32))


def same(first: Overlap, second: Overlap) -> bool:
    return all(
        np.allclose(one, other)
        for one, other in zip(asdict(first).values(), asdict(second).values(), strict=True)
    )


def test_a_map_that_is_the_mask_is_perfect() -> None:
    found = overlap(MASK.astype(np.float32), REGION)
    assert asdict(found) | {"dice": 0} == {
        "pointing": 1,
        "pointing_strict": 1,
        "relevance_mass": 1,
        "relevance_rank": 1,
        "auprc": 1,
        "dice": 0,
    }
    assert (found.dice == 1).all()


def test_a_flat_map_is_worth_the_masks_share_of_the_voxels() -> None:
    share = MASK.mean()
    found = overlap(np.ones(SHAPE, dtype=np.float32), REGION)
    assert found.relevance_mass == found.pointing_strict == pytest.approx(share)
    assert found.relevance_rank == found.auprc == pytest.approx(share)
    assert found.pointing == pytest.approx(REGION.near.mean())
    assert found.dice == pytest.approx(2 * share / (1 + share))


def test_an_inverted_map_finds_nothing() -> None:
    found = overlap(1 - MASK.astype(np.float32), REGION)
    assert found.relevance_mass == found.relevance_rank == found.pointing_strict == 0
    assert (found.dice == 0).all()
    assert found.auprc == pytest.approx(MASK.mean())


def test_the_tolerance_reaches_as_far_as_it_says_along_each_axis() -> None:
    region = Region.of(MASK, (0, 1, 2))
    for step, near in (((0, 1, 2), True), ((1, 0, 0), False), ((0, 2, 0), False), ((0, 0, 3), False)):
        peak = np.zeros(SHAPE, dtype=np.float32)
        peak[tuple(np.array((2, 4, 5)) + step)] = 1
        assert overlap(peak, region).pointing == near
        assert overlap(peak, region).pointing_strict == 0


def test_a_map_without_anything_positive_has_no_mass_and_no_outline() -> None:
    found = overlap(np.full(SHAPE, -1, dtype=np.float32), REGION)
    assert found.relevance_mass == 0
    assert (found.dice == 0).all()


def test_dice_is_that_of_the_cut_map() -> None:
    saliency = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    for threshold, found in zip(THRESHOLDS, overlap(saliency, REGION).dice, strict=True):
        cut = saliency >= threshold * float(saliency.max())
        assert found == pytest.approx(2 * (cut & MASK).sum() / (cut.sum() + MASK.sum()))


@given(MAPS)
def test_average_precision_agrees_with_scikit_learn(saliency: np.ndarray) -> None:
    expected = average_precision_score(MASK.ravel(), saliency.ravel())
    assert overlap(saliency, REGION).auprc == pytest.approx(expected)


@given(MAPS, st.sampled_from([0.125, 0.5, 2.0, 1024.0]))
def test_a_positive_factor_changes_nothing(saliency: np.ndarray, factor: float) -> None:
    saliency = np.round(saliency, 2)  # far from the subnormal numbers, which a factor can round together
    assert same(overlap(saliency, REGION), overlap(saliency * np.float32(factor), REGION))


@pytest.mark.parametrize("turn", [np.flip, lambda a: a[:, ::-1], lambda a: a[..., ::-1], lambda a: a.T])
@given(saliency=MAPS)
def test_turning_map_and_mask_together_changes_nothing(
    turn: Callable[[np.ndarray], np.ndarray], saliency: np.ndarray
) -> None:
    turned = Region.of(np.ascontiguousarray(turn(MASK)), (1, 1, 1))
    assert same(overlap(saliency, REGION), overlap(np.ascontiguousarray(turn(saliency)), turned))
