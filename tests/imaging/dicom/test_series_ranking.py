"""Which series is better, by its summary alone; what is chosen of an upload is in `dicom/test_series`."""

from dataclasses import replace

import pytest

from app.imaging.dicom.series_ranking import first_difference, is_as_good, rank
from app.imaging.series_choice import SeriesSummary
from app.imaging.volume import Modality

FIVE_MM = SeriesSummary(1, "CT", 20, "axial", extent_mm=95.0, gap_mm=5.0)
"""From the middle of its first slice to that of its last; with half a slice at either end it covers 100 mm."""


@pytest.mark.parametrize("modality", list(Modality))
def test_a_series_covers_what_its_outer_slices_stand_for(modality: Modality) -> None:
    finer_but_short = replace(FIVE_MM, slices=99, extent_mm=98.0, gap_mm=1.0)
    assert rank(FIVE_MM, modality) > rank(finer_but_short, modality)
    assert first_difference(FIVE_MM, finer_but_short, modality) == "the chosen series covers at least 100 mm"


@pytest.mark.parametrize("modality", list(Modality))
def test_of_series_that_cover_a_brain_the_finer_is_better(modality: Modality) -> None:
    finer = replace(FIVE_MM, slices=100, extent_mm=99.0, gap_mm=1.0)
    assert rank(finer, modality) > rank(FIVE_MM, modality)
    assert not is_as_good(FIVE_MM, finer, modality)
