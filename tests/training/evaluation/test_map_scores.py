"""training.evaluation.map_scores: which cases count, each map and baseline scored on each of them, the threshold from elsewhere."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.imaging.volume import Modality
from tests.training.evaluation.map_support import HEAD, SHAPE, SPOT, prepared, untrained
from training.evaluation.map_overlap import THRESHOLDS, Overlap
from training.evaluation.map_scores import (
    BATCH,
    METRICS,
    Scores,
    best_threshold,
    masked_cases,
    method_scores,
    score_maps,
)
from training.evaluation.network_maps import ATTENTION
from training.evaluation.pointing import HALF, region_of
from training.prepare import PreparedSet


def with_mask(test: PreparedSet, number: int, share: np.ndarray) -> None:
    """Fill each voxel of a case's mask so far."""
    path = test.masks[number]
    assert path is not None
    np.save(path, share.astype(np.uint8))


def scored(test: PreparedSet, *index: int) -> Scores:
    return score_maps(untrained().net, test, np.array(index, dtype=np.int64), Modality.CT, None)


def judged(pointing: float, dice: list[float]) -> Overlap:
    return Overlap(pointing, 0.0, 0.2, 0.3, 0.4, np.array(dice))


def test_a_region_is_where_the_mask_fills_half_of_a_voxel(tmp_path: Path) -> None:
    test = prepared(tmp_path, 3)
    share = np.zeros(SHAPE)
    share[5, 14, 14], share[5, 14, 15] = HALF, HALF - 1
    with_mask(test, 0, share)
    with_mask(test, 1, np.minimum(share, HALF - 1))
    region = region_of(test, 0)
    assert region is not None
    assert np.argwhere(region).tolist() == [[5, 14, 14]]
    assert region_of(test, 1) is None
    np.testing.assert_array_equal(masked_cases(test, np.array([2, 1, 0])), [2, 0])
    assert not len(masked_cases(replace(test, masks=(None,) * 3), np.arange(3)))


def test_each_map_has_a_score_of_each_case_whichever_batch_it_came_in(tmp_path: Path) -> None:
    test = prepared(tmp_path, BATCH + 2)
    with_mask(test, 3, np.zeros(SHAPE))
    places = range(len(test))
    together, alone = scored(test, *places), [scored(test, place) for place in places]
    assert ATTENTION in together.by_method
    assert len(together.by_method) > 2  # baselines, which know nothing of the network
    assert not alone[3].by_method
    for name, each in together.by_method.items():
        others = [one.by_method[name][0] for one in alone if one.by_method]
        assert len(each) == len(others) == BATCH + 1
        for metric in METRICS:
            np.testing.assert_allclose(
                [getattr(one, metric) for one in each], [getattr(one, metric) for one in others], atol=1e-4
            )
    assert together.share_of_head == [share for one in alone for share in one.share_of_head]


def test_the_share_of_the_head_is_that_of_the_mask(tmp_path: Path) -> None:
    test = prepared(tmp_path, 1)
    with_mask(test, 0, 255 * SPOT)
    assert scored(test, 0).share_of_head == pytest.approx([SPOT.sum() / (HEAD | SPOT).sum()], rel=0.1)


def test_the_threshold_is_that_of_the_best_mean_and_none_without_cases() -> None:
    """The first case alone would choose the first, the second alone the last."""
    held = [judged(1, [0.9, 0.6, 0.0]), judged(1, [0.0, 0.6, 0.9])]
    assert best_threshold(held) == 1
    assert best_threshold([]) is None


def test_a_method_is_told_by_its_means_and_by_dice_where_a_threshold_was_fixed() -> None:
    dice = np.linspace(0, 0.9, len(THRESHOLDS)).tolist()
    test = [judged(1, dice), judged(0, dice), judged(0, dice), judged(0, dice)]
    told = method_scores("a map", test, 4)
    means = {metric.name: metric.value for metric in told.metrics}
    assert list(means) == [*METRICS, "dice"]
    assert means == pytest.approx(
        {
            "pointing": 0.25,
            "pointing_strict": 0,
            "relevance_mass": 0.2,
            "relevance_rank": 0.3,
            "auprc": 0.4,
            "dice": dice[4],
        }
    )
    assert (told.name, told.dice_threshold) == ("a map", THRESHOLDS[4])
    bare = method_scores("a map", test, None)
    assert bare.dice_threshold is None
    assert [metric.name for metric in bare.metrics] == list(METRICS)
