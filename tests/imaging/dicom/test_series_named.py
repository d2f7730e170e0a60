"""What is said of a series that was asked for by its name and cannot be read: nothing of any other one."""

from dataclasses import replace

import pytest

from app.errors import NoUsableSeriesError, WrongModalityError
from app.imaging.dicom.series import FEWEST_SLICES, Wanted, choose_series
from app.imaging.volume import Modality
from tests.imaging.dicom.test_series import SOFT, image

ASKED_FOR = Wanted(Modality.CT, "asked-for")
ANOTHER = image("another")
SCOUT = replace(SOFT, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))


def test_the_slices_of_another_series_are_not_counted_as_its_own() -> None:
    few = image("asked-for", slices=FEWEST_SLICES - 2)
    with pytest.raises(NoUsableSeriesError, match=f"found at most {FEWEST_SLICES - 2} slices"):
        choose_series([*ANOTHER, *few], ASKED_FOR)


def test_a_localiser_is_no_image_though_another_series_is_one() -> None:
    with pytest.raises(NoUsableSeriesError, match="found at most 0 slices that are no localiser"):
        choose_series([*ANOTHER, *image("asked-for", SCOUT)], ASKED_FOR)


def test_its_modality_is_named_and_not_that_of_another_series() -> None:
    with pytest.raises(WrongModalityError, match=r"Expected CT images, found MR\."):
        choose_series([*ANOTHER, *image("asked-for", modality="MR")], ASKED_FOR)
