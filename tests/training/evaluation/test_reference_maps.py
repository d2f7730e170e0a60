"""training.evaluation.reference_maps: the head is found whole, and baselines know nothing but the head."""

import numpy as np
import pytest

from app.imaging.volume import Modality
from tests.training.evaluation.map_support import AIR, HEAD, SPOT, head_image
from training.evaluation.reference_maps import baselines, centre_gaussian, head_mask


def test_the_head_is_the_largest_body_with_its_cavities() -> None:
    image = head_image()
    image[4:6, 11:13, 9:11] = AIR  # a sinus
    image[0, 0, 0] = 40  # a head holder
    assert np.array_equal(head_mask(image, Modality.CT), HEAD)


def test_an_image_of_air_is_all_head_rather_than_none() -> None:
    assert head_mask(np.full((3, 4, 5), AIR, dtype=np.float32), Modality.CT).all()


def test_the_gaussian_stands_in_the_middle_of_the_head_and_falls_outwards() -> None:
    gaussian = centre_gaussian(HEAD)
    centre = np.argwhere(HEAD).mean(axis=0)
    highest = np.unravel_index(gaussian.argmax(), gaussian.shape)
    assert np.abs(np.array(highest) - centre).max() <= 0.5
    assert gaussian[~HEAD].max() < gaussian[HEAD].max()


def test_the_threshold_finds_the_lesion_of_a_ct_and_is_not_asked_of_an_mr() -> None:
    image = head_image()
    assert np.array_equal(baselines(image, HEAD, Modality.CT)["CT 50-90 HU"] > 0, SPOT)
    assert "CT 50-90 HU" not in baselines(image, HEAD, Modality.MR)


def test_a_slice_has_the_same_baselines_as_the_volume_it_comes_from() -> None:
    flat = centre_gaussian(HEAD[5:6])
    assert flat.shape == (1, *HEAD.shape[1:])
    assert flat.max() == pytest.approx(1, abs=0.02)
