"""training.cohort_check.orientation: a mask drawn on the slices of a tilted scan lies on it."""

import numpy as np
import pytest

from app.imaging.volume import Grid, Modality, Volume
from training.cohort_check.orientation import lies_on

SHAPE = (20, 24, 6)


def tilted(degrees: float, gaps_mm: tuple[float, ...] = (5.0,) * 5) -> Volume:
    """Slices that lean forward and are stacked straight up, as a tilted gantry takes them, with the grid made upright."""
    angle = np.deg2rad(degrees)
    step_j = np.array([0, np.cos(angle), np.sin(angle)])
    origins = np.outer(np.concatenate([[0], np.cumsum(gaps_mm)]), [0, 0, 1.0])
    upright = np.eye(4)
    upright[:3, 1], upright[:3, 2] = step_j, 5 * np.cross([1, 0, 0], step_j)
    return Volume(np.zeros(SHAPE, np.int16), np.array([1.0, 0, 0]), step_j, origins, Grid((20, 30, 6), upright), Modality.CT)  # fmt: skip


def drawn_on_slices(volume: Volume, step_k: tuple[float, float, float]) -> Grid:
    affine = np.eye(4)
    affine[:3, 1], affine[:3, 2] = volume.step_j, step_k
    return Grid(SHAPE, affine)


@pytest.mark.parametrize("gaps_mm", [(5.0,) * 5, (5, 4.5, 5.5, 5, 5)])
def test_a_mask_on_the_tilted_slices_or_on_the_corrected_grid_lies_on_the_image(
    gaps_mm: tuple[float, ...],
) -> None:
    image = tilted(15, gaps_mm)
    mask = drawn_on_slices(image, (0, 0, 5))
    assert lies_on(mask, image)
    assert lies_on(mask.permuted((2, 0, 1)), image)
    assert lies_on(image.grid, image)


def test_a_mask_whose_program_has_lost_the_tilt_does_not_lie_on_the_image() -> None:
    image = tilted(15)
    assert not lies_on(drawn_on_slices(image, tuple(5 * np.cross([1, 0, 0], image.step_j))), image)


def test_slices_with_a_wide_gap_are_on_no_lattice() -> None:
    image = tilted(0, (5, 5, 20, 5, 5))
    assert not lies_on(drawn_on_slices(image, (0, 0, 8)), image)
