"""Orientation through meaning: all 48 ways to store a head, straight and oblique. And what a case took."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from app.imaging.volume import Grid
from app.inference.case import analyse
from app.inference.predictor import Predictor
from app.predictions.summary import orientation, spent

AXES = [("R", "L"), ("A", "P"), ("S", "I")]
CODES = [
    "".join(AXES[axis][side] for axis, side in zip(order, sides, strict=True))
    for order in permutations(range(3))
    for sides in product((0, 1), repeat=3)
]


def grid(code: str, turn: Rotation | None = None) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(code):
        row = next(row for row, letters in enumerate(AXES) if letter in letters)
        affine[row, axis] = (1 if letter == AXES[row][0] else -1) * (axis + 0.5)
    if turn is not None:
        affine[:3, :3] = turn.as_matrix() @ affine[:3, :3]
    return Grid((4, 5, 6), affine)


@pytest.mark.parametrize("code", CODES)
def test_each_letter_names_the_side_an_axis_grows_to(code: str) -> None:
    assert len(set(CODES)) == 48
    assert orientation(grid(code)) == code


@given(st.sampled_from(CODES), st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_a_tilted_head_keeps_its_closest_axes(code: str, degrees: list[float]) -> None:
    tilted = grid(code, Rotation.from_euler("xyz", degrees, degrees=True))
    assert orientation(tilted) == code == "".join(nib.aff2axcodes(tilted.affine))


def test_what_comes_around_an_analysis_is_added_where_it_belongs(
    gos_predictor: Predictor, head_ct: Path
) -> None:
    analysis = analyse([head_ct], {}, gos_predictor, "none")
    before = analysis.timing_ms
    found = spent(analysis, waited_s=1.0, writing_s=2.0, explaining_s=4.0)
    more = {stage: found[stage] - before[stage] for stage in before}
    assert more.pop("total") == pytest.approx(7000)
    assert {stage: round(each) for stage, each in more.items() if each} == {
        "queue": 1000,
        "inference": 4000,
        "heatmap": 2000,
    }
