"""Distractors."""

import numpy as np

from training.phantoms.ct.lesions import draw_blobs, draw_infarct
from training.phantoms.ct.shapes import Points


def _grid() -> Points:
    x, y, z = np.meshgrid(*(np.arange(-80, 81, 8.0, dtype=np.float32) for _ in range(3)), indexing="ij")
    return Points(x, y, z)


def test_the_old_calcify_more() -> None:
    counts = [
        np.mean([len(draw_blobs(age, np.random.default_rng(s))) for s in range(150)]) for age in (20.0, 85.0)
    ]
    assert counts[1] > 1.3 * counts[0] > 0


def test_calcifications_are_small_and_lie_on_both_sides() -> None:
    blobs = [blob for seed in range(40) for blob in draw_blobs(70, np.random.default_rng(seed))]
    assert max(max(blob.semi) for blob in blobs) < 15
    assert {np.sign(blob.centre[0]) for blob in blobs if abs(blob.centre[0]) > 8} == {-1.0, 1.0}


def test_infarcts_are_local_and_mostly_of_the_old() -> None:
    shares = []
    for age in (30.0, 85.0):
        weights = [draw_infarct(_grid(), age, np.random.default_rng(seed)) for seed in range(80)]
        assert all(w.min() >= 0 and w.max() <= 1 and w.mean() < 0.05 for w in weights)
        shares.append(np.mean([w.any() for w in weights]))
    assert shares[1] > 2 * shares[0]
