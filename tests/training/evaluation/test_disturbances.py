"""training.evaluation.disturbances: each does what its name says and nothing else."""

import math

import numpy as np
import pytest

from app.imaging.volume import Grid, Modality, Volume
from training.evaluation.disturbances import (
    GeometryChange,
    ValueChange,
    head_mean,
    image_changes,
    record_changes,
    rotated,
    rotation,
    thickened,
)

GAP_MM = 2.5


def volume(slices: int = 9) -> Volume:
    """5 x 4 voxels of 1 mm, the slices oblique and `GAP_MM` apart; every slice holds its number."""
    affine = np.eye(4)
    affine[:3, 2] = np.array([0, 0.6, 0.8]) * GAP_MM
    affine[:3, 3] = (3, -4, 5)
    origins = affine[:3, 3] + np.arange(slices)[:, None] * affine[:3, 2]
    voxels = np.broadcast_to(np.arange(slices, dtype=np.int16), (5, 4, slices))
    return Volume(voxels, affine[:3, 0], affine[:3, 1], origins, Grid((5, 4, slices), affine), Modality.CT)


def places(image: Volume) -> np.ndarray:
    """RAS place of every voxel [I, J, K, 3], by the stored slices."""
    i, j, k = (np.asarray(axis) for axis in np.indices(image.voxels.shape))
    found: np.ndarray = image.slice_origins[k] + i[..., None] * image.step_i + j[..., None] * image.step_j
    return found


def by_grid(image: Volume) -> np.ndarray:
    index = np.moveaxis(np.indices(image.voxels.shape), 0, -1)
    found: np.ndarray = index @ image.grid.affine[:3, :3].T + image.grid.affine[:3, 3]
    return found


def test_thick_slices_are_means_and_lie_in_the_middle_of_what_they_replace() -> None:
    thick = thickened(volume(9), 10.0)
    assert thick.voxels.shape == thick.grid.shape == (5, 4, 2)
    assert thick.voxels[0, 0].tolist() == [1.5, 5.5]
    assert np.allclose(thick.slice_origins, volume(8).slice_origins.reshape(2, 4, 3).mean(axis=1))
    assert np.allclose(places(thick), by_grid(thick))


def test_slices_that_are_thick_already_stay() -> None:
    image = volume()
    assert thickened(image, 2.5) is image
    assert thickened(image, 1000.0) is image


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turned_head_keeps_every_distance_and_its_centre(axis: int) -> None:
    image = volume()
    turned = rotated(image, axis, 25.0)
    before, after = places(image).reshape(-1, 3), places(turned).reshape(-1, 3)
    assert np.allclose(before.mean(axis=0), after.mean(axis=0))
    assert np.allclose(
        np.linalg.norm(before - before.mean(axis=0), axis=1),
        np.linalg.norm(after - after.mean(axis=0), axis=1),
    )
    assert np.allclose(places(turned), by_grid(turned))
    assert not np.allclose(before, after)
    assert np.allclose(places(rotated(turned, axis, -25.0)), places(image))


def test_rotations_are_right_handed() -> None:
    for axis in range(3):
        turn = rotation(axis, 90.0)
        first, second = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        assert np.allclose(turn @ first, second)
        assert np.linalg.det(rotation(axis, 33.0)) == pytest.approx(1)


@pytest.mark.parametrize("modality", list(Modality))
def test_every_image_change_has_a_name_of_its_own_and_the_geometry_comes_with_all(modality: Modality) -> None:
    changes = image_changes(modality)
    assert len({(change.kind, change.level) for change in changes}) == len(changes)
    assert sum(isinstance(change, GeometryChange) for change in changes) == 3


def test_ct_values_move_by_hounsfield_units() -> None:
    voxels = np.full((40, 40, 40), 30, dtype=np.int16)
    for change in image_changes(Modality.CT):
        if isinstance(change, ValueChange):
            moved = change.apply(voxels, np.random.default_rng(0)) - 30.0
            expected = {
                "SD 20 HU": (0, 20),
                "SD 40 HU": (0, 40),
                "-10 HU": (-10, 0),
                "+10 HU": (10, 0),
                "5 %": (1.5, 0),
            }
            mean, sd = expected[change.level]
            assert moved.mean() == pytest.approx(mean, abs=0.6)
            assert moved.std() == pytest.approx(sd, rel=0.02, abs=1e-4)
            assert moved.dtype == np.float32


def test_mr_values_move_by_shares_of_the_head_whatever_the_scanners_unit() -> None:
    rng = np.random.default_rng(0)
    image = np.where(rng.random((20, 20, 20)) < 0.3, 100 + rng.normal(0, 5, (20, 20, 20)), 1.0)
    assert head_mean(image) == pytest.approx(100, abs=1)
    for change in image_changes(Modality.MR):
        if isinstance(change, ValueChange):
            one, ten = (change.apply(scale * image, np.random.default_rng(1)) for scale in (1, 10))
            assert np.allclose(10 * one, ten, rtol=1e-4, atol=1e-2)


def test_record_fields_go_one_by_one_by_halves_and_all() -> None:
    titles = ("a", "b", "c", "d", "e")
    changes = record_changes(titles, seed=3)
    assert [level for _, level, _ in changes] == [*titles, "a random half", "all"]
    assert np.array_equal([removed(0) for _, _, removed in changes[:5]], np.eye(5))
    half, every = changes[5][2], changes[6][2]
    assert {half(patient).sum() for patient in range(20)} == {math.ceil(5 / 2)}
    assert len({tuple(half(patient)) for patient in range(20)}) > 1
    assert np.array_equal(half(7), record_changes(titles, seed=3)[5][2](7))
    assert every(0).all()
