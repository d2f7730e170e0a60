"""training.learning.dataset: how an epoch is dealt, to one process or to several."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.cohort import CohortError
from training.learning.dataset import Needed, PreparedDataset, ShuffledBatches
from training.prepare import PreparedSet

pytestmark = pytest.mark.torch


def _dealt(count: int, step: int, seed: int, micro_batches: int = 1, world: int = 1) -> list[list[list[int]]]:
    """[process][micro-batch] of case indices, of one epoch."""
    return [
        list(
            ShuffledBatches(
                count,
                step,
                torch.Generator().manual_seed(seed),
                micro_batches=micro_batches,
                rank=rank,
                world=world,
            )
        )
        for rank in range(world)
    ]


@given(
    count=st.integers(8, 60),
    step=st.integers(8, 20),
    micro_batches=st.integers(1, 3),
    world=st.integers(1, 2),
    seed=st.integers(0, 99),
)
def test_processes_and_micro_batches_divide_the_very_steps_of_one(
    count: int, step: int, micro_batches: int, world: int, seed: int
) -> None:
    (whole,) = _dealt(count, step, seed)
    parts = _dealt(count, step, seed, micro_batches, world)
    for number, cases in enumerate(whole):
        mine = slice(number * micro_batches, (number + 1) * micro_batches)
        assert [case for process in parts for part in process[mine] for case in part] == cases


@given(count=st.integers(1, 60), step=st.integers(1, 20), seed=st.integers(0, 99))
def test_an_epoch_shows_no_case_twice_and_leaves_out_less_than_a_step(
    count: int, step: int, seed: int
) -> None:
    (batches,) = _dealt(count, step, seed)
    seen = [case for batch in batches for case in batch]
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(count))
    assert count - len(seen) < min(step, count)
    assert {len(batch) for batch in batches} == {min(step, count)}


def test_epochs_differ_and_a_seed_repeats_them() -> None:
    def two_epochs(seed: int) -> list[list[list[int]]]:
        dealt = ShuffledBatches(40, 8, torch.Generator().manual_seed(seed))
        return [list(dealt), list(dealt)]

    first, second = two_epochs(3)
    assert first != second
    assert two_epochs(3) == [first, second]


def test_an_epoch_that_was_cut_off_goes_on_with_the_cases_it_had_left() -> None:
    whole, rest = (
        ShuffledBatches(40, 8, torch.Generator().manual_seed(3), micro_batches=2) for _ in range(2)
    )
    rest.begin_at(3)
    assert list(rest) == list(whole)[2 * 3 :]
    assert list(rest) == list(whole), "the next epoch is whole again"


def test_a_step_too_small_to_be_divided_is_refused() -> None:
    with pytest.raises(
        CohortError, match="expected at least one case for each of 6 parts of a step, found 4"
    ):
        ShuffledBatches(100, 4, torch.Generator(), micro_batches=3, world=2)


def test_a_mask_is_the_share_of_each_voxel_and_zeros_where_there_is_none(tmp_path: Path) -> None:
    image, mask = tmp_path / "image.npy", tmp_path / "mask.npy"
    np.save(image, np.full((2, 3, 4), 40, np.float32))
    np.save(mask, np.array([0, 51, 255] * 8, np.uint8).reshape(2, 3, 4))
    empty = np.zeros((2, 0), np.float32)
    prepared = PreparedSet(
        (image, image), (mask, None), empty, empty, np.array([0, 1]), np.full(2, np.nan, np.float32)
    )
    marked, bare = (PreparedDataset(prepared, Needed(masks=True))[index] for index in (0, 1))
    assert sorted(set(marked.mask.flatten().tolist())) == pytest.approx([0, 0.2, 1])
    assert (bool(marked.has_mask), bool(bare.has_mask)) == (True, False)
    assert bare.mask.shape == bare.image.shape
    assert not bare.mask.any()
