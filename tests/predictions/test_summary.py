"""Orientation through meaning: all 48 ways to store a head, straight and oblique."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from app.imaging.volume import Grid
from app.predictions.summary import orientation

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
