"""training.worlds.planted: cohorts whose answer is arithmetic."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import Int64
from sklearn.metrics import roc_auc_score

from training.names import WorldName
from training.worlds.planted import (
    FEATURES,
    NAMED_COLUMN,
    World,
    make_world,
    with_other_blob_named,
    with_random_labels,
)


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


def test_the_sum_of_what_image_and_record_say_is_capped_like_the_image() -> None:
    """Whatever the weights of the two logits."""
    for weight in (-3, 1, 3):
        assert _ceiling(lambda world, w=weight: 2 * _brightness(world) + w * world.named, "graded") < 0.89  # type: ignore[misc]
        assert _ceiling(lambda world, w=weight: 2 * _brightness(world) + w * world.named, "xor") < 0.53  # type: ignore[misc]


def test_the_xor_world_tells_nothing_to_the_image_or_the_record_alone() -> None:
    assert _ceiling(_brightness, "xor") == pytest.approx(0.5, abs=0.03)
    assert _ceiling(lambda world: world.named, "xor") == pytest.approx(0.5, abs=0.03)


def test_naming_the_other_blob_leaves_images_and_distractors_as_they_were() -> None:
    world = make_world("graded", 1000, seed=2)
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


def test_an_outcome_can_be_drawn_anew_without_touching_the_rest() -> None:
    world = make_world("graded", 1000, seed=2)
    drawn = with_random_labels(world, seed=9)
    assert replace(drawn, outcome=world.outcome) is not drawn
    assert np.array_equal(drawn.image, world.image)
    assert 0.4 < (drawn.outcome == world.outcome).mean() < 0.6
