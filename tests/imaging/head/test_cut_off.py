import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.imaging.head.cut_off import HARMLESS_MM, in_words, missing_mm
from app.imaging.head.find import find_head
from app.imaging.volume import Volume
from tests.imaging.bodies import HIGH, LOW, head, image_of, stored_otherwise

SIDES = {"left": (0, -1), "right": (0, 1), "back": (1, -1), "front": (1, 1), "top": (2, 1)}
HALF_MM = (75.0, 95.0, 85.0)


def cut(side: str, by_mm: float, spacing: float = 3.0, across: float | None = None) -> Volume:
    """A head of which so much lies beyond one face of the image, whose voxels are as thick as `across` towards it."""
    axis, end = SIDES[side]
    low, high = list(LOW), list(HIGH)
    step = across or spacing
    face = HALF_MM[axis] - by_mm - step / 2
    if end > 0:
        low[axis] += (face - low[axis]) % step
        high[axis] = face + 1e-6
    else:
        low[axis] = -face
    steps = [step if each == axis else spacing for each in range(3)]
    return image_of(head(), low=(low[0], low[1], low[2]), high=(high[0], high[1], high[2]), spacing=steps)


def missing(volume: Volume) -> dict[str, float]:
    return missing_mm(volume, find_head(volume))


@pytest.mark.parametrize("side", sorted(SIDES))
@pytest.mark.parametrize("by_mm", [20.0, 35.0])
def test_each_side_is_named_with_about_what_is_missing(side: str, by_mm: float) -> None:
    found = missing(cut(side, by_mm))
    assert list(found) == [side]
    assert found[side] == pytest.approx(by_mm, abs=6)


@pytest.mark.parametrize("side", sorted(SIDES))
def test_what_the_outermost_slice_stands_for_is_not_missing(side: str) -> None:
    """The image ends half a slice beyond the middle of its last one."""
    assert missing(cut(side, 20.0, across=12.0))[side] == pytest.approx(20.0, abs=3)


@pytest.mark.parametrize("side", sorted(SIDES))
def test_scalp_and_skull_outside_are_harmless(side: str) -> None:
    assert missing(cut(side, 0.5 * HARMLESS_MM)) == {}


def test_a_neck_may_end_anywhere() -> None:
    for bottom in (-40.0, -70.0, -110.0):
        assert missing(image_of(head(), low=(-120, -130, bottom))) == {}


@settings(deadline=None, max_examples=8)
@given(st.permutations([0, 1, 2]), st.tuples(*[st.sampled_from([1, -1])] * 3))
def test_sides_are_the_patient_s_in_every_storage_order(
    order: list[int], flips: tuple[int, int, int]
) -> None:
    plain = cut("left", 30.0)
    other = missing(stored_otherwise(plain, (order[0], order[1], order[2]), flips))
    assert other == pytest.approx(missing(plain), abs=0.1)


def test_spacing_changes_little() -> None:
    fine, coarse = (missing(cut("top", 30.0, spacing))["top"] for spacing in (2.0, 6.0))
    assert np.isclose(fine, coarse, atol=5)


def test_words_name_all_sides() -> None:
    assert in_words({"top": 20.4, "left": 11.6}) == "about 12 mm at the left, 20 mm at the top"
