from dataclasses import replace

import numpy as np
import pytest

from app.imaging.head.find import find_head
from app.imaging.head.silhouette import HEIGHT_MM, HEIGHTS, SECTORS, WALL, Silhouette, silhouette
from app.imaging.volume import Volume
from tests.imaging.bodies import SEMI_AXES_MM, after_hemicraniectomy, head, image_of


def outline_of(volume: Volume) -> Silhouette:
    return silhouette(volume, find_head(volume))


def test_radii_are_those_of_the_ellipsoid() -> None:
    outline = outline_of(image_of(head(), spacing=(2.0, 2.0, 2.0)))
    depth = (np.arange(WALL.start, WALL.stop) + 0.5) * HEIGHT_MM
    share = np.sqrt(1 - np.square(1 - depth / SEMI_AXES_MM[2]))
    towards = np.arange(SECTORS) * 2 * np.pi / SECTORS - np.pi + np.pi / SECTORS
    across = 1 / np.hypot(np.cos(towards) / SEMI_AXES_MM[0], np.sin(towards) / SEMI_AXES_MM[1])
    assert outline.radius_mm[WALL] == pytest.approx(share[:, None] * across, abs=8)


def test_it_does_not_depend_on_where_the_scanner_counts_from() -> None:
    # Every second slice lies just between two heights.
    volume = image_of(head())
    moved = replace(volume, slice_origins=volume.slice_origins + np.array([0, 0, 123.4]))
    assert np.array_equal(outline_of(moved).radius_mm, outline_of(volume).radius_mm)


def test_it_says_how_far_a_head_measures_around() -> None:
    outline = outline_of(image_of(head()))
    assert outline.circumference_mm() == pytest.approx(2 * np.pi * np.sqrt(75 * 95), rel=0.03)


def test_inward_is_the_distance_to_the_outline() -> None:
    outline = outline_of(image_of(head()))
    assert outline.inward_mm[outline.body].min() >= 0
    assert (outline.inward_mm[outline.in_wall & (outline.values < -500)] < 12).all()


def test_a_hole_inside_changes_no_radius() -> None:
    whole, hollow = (
        outline_of(image_of(head((-1000.0, 20.0, 900.0, brain)))).radius_mm for brain in (35.0, -1000.0)
    )
    assert hollow[WALL] == pytest.approx(whole[WALL], abs=3)


def test_the_share_of_the_wall_counts_cells() -> None:
    whole, opened = (outline_of(image_of(field)) for field in (head(), after_hemicraniectomy))
    assert whole.share_of_wall(whole.values > 500) == 1
    assert 0.5 < opened.share_of_wall(opened.values > 500) < 0.9


def test_a_body_that_ends_early_has_a_short_profile() -> None:
    volume = image_of(head(), low=(-120, -130, 20))
    assert len(outline_of(volume).profile_mm()) == 7
    assert len(outline_of(image_of(head())).profile_mm()) == HEIGHTS
