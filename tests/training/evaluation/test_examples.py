"""training.evaluation.examples: chosen by the answer, drawn in radiological convention."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.imaging.resample import as_volume
from app.imaging.volume import Grid, Modality
from tests.training.evaluation.map_support import AIR, SHAPE, SPOT, head_image, prepared, untrained
from tests.training.evaluation.test_robustness import acquired, cohort_of
from tests.training.networks.support import small
from training.calibrate import Scaling
from training.evaluation.example_picture import PANEL_PIXELS, Picture, draw_picture
from training.evaluation.examples import choose, largest_slice, pick_examples

PLAIN = Scaling(1.0, 0.0)
AFFINE = np.array([[0, 0, 8.0, -80], [0, 9.0, 0, -108], [14.0, 0, 0, -63], [0, 0, 0, 1]])
FIELD = Grid(SHAPE, AFFINE)


@given(st.lists(st.floats(-10, 0), min_size=1, max_size=30), st.integers(1, 3))
def test_the_best_the_middle_and_the_worst_are_chosen_and_nobody_twice(
    likelihoods: list[float], each: int
) -> None:
    likelihood = np.array(likelihoods)
    chosen = choose(likelihood, each)
    cases = [case for _, _, case in chosen]
    assert len(cases) == len(set(cases))
    assert likelihood[next(case for kind, _, case in chosen if kind == "best")] == likelihood.max()
    if len(likelihoods) >= 3 * each:
        assert [kind for kind, _, _ in chosen] == ["best"] * each + ["median"] * each + ["worst"] * each
        assert likelihood[chosen[-each][2]] == likelihood.min()
        middle = np.median(likelihood)
        inner = [likelihood[case] for kind, _, case in chosen if kind == "median"]
        assert sum(likelihood > max(inner)) <= len(likelihood) / 2 >= sum(likelihood < min(inner))
        assert min(likelihood) <= middle <= max(likelihood)


def test_the_slice_shown_is_the_one_with_most_of_the_mask() -> None:
    inside = np.zeros(SHAPE, dtype=np.bool_)
    inside[2, 3, 4] = inside[6, 10:13, 8:11] = True
    assert largest_slice(inside).tolist() == [6, 11, 9]


def picture(side: int) -> Picture:
    """A bright spot and the heatmap's peak in one half of the head: the last axis grows to the patient's right."""
    lesion = SPOT if side > 0 else SPOT[..., ::-1]
    image = as_volume(head_image(lesion), FIELD)
    peak = np.argwhere(lesion).mean(axis=0)
    return Picture(
        volume=type(image)(**{**vars(image), "modality": Modality.CT}),
        field=FIELD,
        heatmap=lesion.astype(np.float32),
        heatmap_grid=FIELD,
        mask=as_volume(lesion.astype(np.float32), FIELD),
        peak_mm=AFFINE[:3, :3] @ peak + AFFINE[:3, 3],
        mask_mm=AFFINE[:3, :3] @ peak + AFFINE[:3, 3],
        fill=AIR,
    )


@pytest.mark.parametrize("side", [1, -1])
def test_the_patients_right_is_on_the_left(tmp_path: Path, side: int) -> None:
    draw_picture(picture(side), tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as file:
        drawn = np.asarray(file.convert("RGB")).astype(float)
    width = round(PANEL_PIXELS * (SHAPE[2] - 1) * 8 / ((SHAPE[1] - 1) * 9))
    bare = drawn[60 : 60 + PANEL_PIXELS - 60, 14 : 14 + width].mean(axis=2)
    # Letters and frame are the same on both sides; the lesion is what is brighter on one.
    left, right = bare[:, 30 : width // 2], bare[:, width // 2 : -30]
    assert (left.sum() > right.sum()) == (side > 0)


def test_examples_are_drawn_for_acquired_and_for_prepared_images(tmp_path: Path) -> None:
    test, files = acquired(tmp_path, 3)
    for images in (files, None):
        examples = pick_examples(untrained(), cohort_of(test, images), test, PLAIN, tmp_path, each=1)
        assert [example.kind for example in examples] == ["best", "median", "worst"]
        assert examples[0].probability >= examples[1].probability >= examples[2].probability
        for example in examples:
            with Image.open(tmp_path / example.picture) as drawn:
                assert drawn.width > 3 * 200
            assert "peak" in example.caption


def test_a_network_without_a_heatmap_has_no_examples(tmp_path: Path) -> None:
    test = prepared(tmp_path, 3)
    for fusion in ("record", "image"):
        assert pick_examples(untrained(small(fusion)), cohort_of(test), test, PLAIN, tmp_path) == ()


def test_a_case_without_a_mask_is_drawn_through_the_peak(tmp_path: Path) -> None:
    test = prepared(tmp_path, 3, masks=False)
    examples = pick_examples(untrained(), cohort_of(test), test, PLAIN, tmp_path, each=1)
    assert all("no mask" in example.caption for example in examples)
