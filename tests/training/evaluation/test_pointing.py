"""training.evaluation.pointing: a peak is inside when the voxels around it are."""

from pathlib import Path

import numpy as np

from training.evaluation.pointing import peaks_in_masks
from training.prepare import PreparedSet

STRIDE = np.diag([2.0, 4.0, 4.0, 1.0])
"""Heatmap cell (d, h, w) lies on model-grid voxel (2 d, 4 h, 4 w)."""


def prepared_with(mask: np.ndarray, folder: Path) -> PreparedSet:
    np.save(folder / "mask.npy", mask)
    empty = np.zeros((1, 0), dtype=np.float32)
    return PreparedSet(
        (folder / "image.npy",),
        (folder / "mask.npy",),
        empty,
        empty,
        np.zeros(1, np.int64),
        np.full(1, np.nan, np.float32),
    )


def attention_at(cell: tuple[int, int, int]) -> np.ndarray:
    attention = np.zeros((1, 4, 5, 4), dtype=np.float32)
    attention[(0, *cell)] = 1
    return attention


def test_the_peak_counts_only_on_the_mask(tmp_path: Path) -> None:
    mask = np.zeros((8, 20, 16), dtype=np.uint8)
    mask[4, 8, 12] = 255
    prepared = prepared_with(mask, tmp_path)
    assert peaks_in_masks(attention_at((2, 2, 3)), prepared, STRIDE).tolist() == [True]
    assert peaks_in_masks(attention_at((2, 2, 2)), prepared, STRIDE).tolist() == [False]


def test_a_voxel_that_is_mostly_outside_does_not_count(tmp_path: Path) -> None:
    mask = np.zeros((8, 20, 16), dtype=np.uint8)
    mask[4, 8, 12], mask[0, 0, 0] = 100, 255
    assert peaks_in_masks(attention_at((2, 2, 3)), prepared_with(mask, tmp_path), STRIDE).tolist() == [False]


def test_cases_without_a_region_are_left_out(tmp_path: Path) -> None:
    prepared = prepared_with(np.zeros((8, 20, 16), dtype=np.uint8), tmp_path)
    assert len(peaks_in_masks(attention_at((0, 0, 0)), prepared, STRIDE)) == 0


def test_a_region_smaller_than_half_a_voxel_is_left_out_for_no_map_could_hit_it(tmp_path: Path) -> None:
    mask = np.zeros((8, 20, 16), dtype=np.uint8)
    mask[4, 8, 12] = 100
    assert len(peaks_in_masks(attention_at((2, 2, 3)), prepared_with(mask, tmp_path), STRIDE)) == 0
