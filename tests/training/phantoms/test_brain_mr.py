"""Phantom MRI: what atrophy must change, where things lie, and how scanners differ."""

from dataclasses import replace

import numpy as np
import pytest

from app.imaging.volume import Modality
from training.phantoms.brain_anatomy import Atrophy
from training.phantoms.brain_mr import HIPPOCAMPUS_LABEL, VENTRICLE_LABEL, BrainPhantom, brain_mr
from training.phantoms.mr_scanner import MrAcquisition, draw_mr_acquisition

HEALTHY = Atrophy(0.0, 1.0, 0.4)


def _plain(seed: int = 0) -> MrAcquisition:
    """A quiet scanner without shading, head straight and in the middle."""
    return replace(
        draw_mr_acquisition(np.random.default_rng(seed)),
        spacing_mm=(1.5, 1.5, 1.5),
        axis_codes="RAS",
        tilt=np.zeros(3),
        pose=np.zeros(3),
        offset_mm=np.zeros(3),
        snr=60.0,
        bias=0.0,
        scale=1.0,
        defaced=False,
        stripped=False,
    )


def _phantom(atrophy: Atrophy, acquisition: MrAcquisition | None = None, seed: int = 5) -> BrainPhantom:
    return brain_mr(atrophy, acquisition or _plain(), np.random.default_rng(seed))


def _millilitres(phantom: BrainPhantom, label: int) -> float:
    voxel_mm3 = abs(np.linalg.det(phantom.volume.grid.affine[:3, :3]))
    return float((phantom.mask == label).sum() * voxel_mm3 / 1000)


def _centre_mm(phantom: BrainPhantom, label: int) -> np.ndarray:
    index = np.argwhere(phantom.mask == label).mean(axis=0)
    affine = phantom.volume.grid.affine
    return np.asarray(affine[:3, :3] @ index + affine[:3, 3])


@pytest.fixture(scope="module")
def healthy() -> BrainPhantom:
    return _phantom(HEALTHY)


def test_the_volume_of_the_hippocampi_follows_their_z(healthy: BrainPhantom) -> None:
    measured = [
        _millilitres(_phantom(replace(HEALTHY, hippocampus_z=z)), HIPPOCAMPUS_LABEL)
        for z in (-4.0, -2.0, 1.0)
    ]
    full = _millilitres(healthy, HIPPOCAMPUS_LABEL)
    assert full == pytest.approx(6.6, abs=1.0)
    np.testing.assert_allclose(np.array(measured) / full, [1 - 0.52, 1 - 0.26, 1.13], atol=0.07)


def test_the_mask_holds_the_volume_that_was_grown(healthy: BrainPhantom) -> None:
    assert _millilitres(healthy, HIPPOCAMPUS_LABEL) == pytest.approx(healthy.hippocampus_ml, rel=0.04)


def test_ventricles_grow_with_their_scale(healthy: BrainPhantom) -> None:
    wide = _millilitres(_phantom(replace(HEALTHY, ventricle_scale=2.0)), VENTRICLE_LABEL)
    full = _millilitres(healthy, VENTRICLE_LABEL)
    assert 10 < full < 40
    assert wide > 2.5 * full


def test_a_thinned_cortex_leaves_more_fluid_and_less_grey_in_the_same_skull(healthy: BrainPhantom) -> None:
    thin = _phantom(replace(HEALTHY, cortical_thinning=2.5))
    assert thin.volume.voxels.shape == healthy.volume.voxels.shape
    contrast = _plain().contrast
    middle = (contrast.csf + contrast.grey) / 2 * 500
    brain = (slice(30, 85), slice(30, 110), slice(120, 145))  # vertex: cortex and sulci
    fluid = [(phantom.volume.voxels[brain] < middle).mean() for phantom in (healthy, thin)]
    assert fluid[1] > fluid[0] + 0.05


def test_both_hippocampi_lie_beside_the_brainstem_low_in_the_head(healthy: BrainPhantom) -> None:
    grid = healthy.volume.grid
    where = np.argwhere(healthy.mask == HIPPOCAMPUS_LABEL)
    mm = where @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    right, left = mm[mm[:, 0] > 0], mm[mm[:, 0] < 0]
    assert len(right) == pytest.approx(len(left), rel=0.15)
    np.testing.assert_allclose(right.mean(axis=0), (26, -21, -15), atol=4)
    np.testing.assert_allclose(left.mean(axis=0), (-26, -21, -15), atol=4)


def test_tissues_have_the_scanners_contrast(healthy: BrainPhantom) -> None:
    contrast, voxels = _plain().contrast, healthy.volume.voxels
    for label, signal in ((HIPPOCAMPUS_LABEL, contrast.grey), (VENTRICLE_LABEL, contrast.csf)):
        assert np.median(voxels[healthy.mask == label]) == pytest.approx(500 * signal, abs=20)
    grid = healthy.volume.grid
    white = np.linalg.solve(grid.affine, (24, -20, 36, 1))[:3].round().astype(int)
    assert voxels[tuple(white)] == pytest.approx(500, rel=0.1)
    assert np.median(voxels[:3]) < 25  # air: Rician floor


@pytest.mark.parametrize("codes", ["LPS", "PSR", "ASL", "LIP"])
def test_the_patient_does_not_move_when_the_axes_are_stored_otherwise(
    codes: str, healthy: BrainPhantom
) -> None:
    turned = _phantom(HEALTHY, replace(_plain(), axis_codes=codes))
    for label in (HIPPOCAMPUS_LABEL, VENTRICLE_LABEL):
        np.testing.assert_allclose(_centre_mm(turned, label), _centre_mm(healthy, label), atol=0.3)
        assert _millilitres(turned, label) == pytest.approx(_millilitres(healthy, label), rel=0.05)


def test_a_tilted_lattice_sees_the_same_patient_and_a_shifted_head_moves(healthy: BrainPhantom) -> None:
    tilted = _phantom(HEALTHY, replace(_plain(), tilt=np.array([0.2, -0.1, 0.15])))
    np.testing.assert_allclose(_centre_mm(tilted, 1), _centre_mm(healthy, 1), atol=0.4)
    moved = _phantom(HEALTHY, replace(_plain(), offset_mm=np.array([10.0, -20.0, 5.0])))
    np.testing.assert_allclose(_centre_mm(moved, 1) - _centre_mm(healthy, 1), (10, -20, 5), atol=0.3)


def test_the_scanners_unit_is_arbitrary(healthy: BrainPhantom) -> None:
    loud = _phantom(HEALTHY, replace(_plain(), scale=8.0))
    ratio = loud.volume.voxels[healthy.mask > 0] / healthy.volume.voxels[healthy.mask > 0]
    assert np.median(ratio) == pytest.approx(8, rel=0.02)


def test_thick_slices_are_fewer_and_blurred_along_their_normal(healthy: BrainPhantom) -> None:
    thick = _phantom(HEALTHY, replace(_plain(), spacing_mm=(1.5, 1.5, 4.5)))
    assert thick.volume.voxels.shape[2] == pytest.approx(healthy.volume.voxels.shape[2] / 3, abs=1)
    assert _millilitres(thick, HIPPOCAMPUS_LABEL) == pytest.approx(
        _millilitres(healthy, HIPPOCAMPUS_LABEL), rel=0.1
    )


def test_defacing_blanks_the_face_and_stripping_leaves_the_brain_only(healthy: BrainPhantom) -> None:
    defaced = _phantom(HEALTHY, replace(_plain(), defaced=True))
    stripped = _phantom(HEALTHY, replace(_plain(), stripped=True))
    shown = [(phantom.volume.voxels > 60).mean() for phantom in (healthy, defaced, stripped)]
    assert shown[0] > shown[1] > shown[2]
    for phantom in (defaced, stripped):
        np.testing.assert_array_equal(phantom.mask, healthy.mask)


def test_the_volume_is_an_mr_on_its_own_grid(healthy: BrainPhantom) -> None:
    volume = healthy.volume
    assert volume.modality is Modality.MR
    assert volume.voxels.dtype == np.int16
    assert volume.voxels.shape == healthy.mask.shape == volume.grid.shape
    last = volume.grid.affine @ (0, 0, volume.grid.shape[2] - 1, 1)
    np.testing.assert_allclose(volume.slice_origins[-1], last[:3])


def test_the_same_seed_gives_the_same_image_and_another_seed_other_folds(healthy: BrainPhantom) -> None:
    again, other = (_phantom(HEALTHY, seed=seed) for seed in (5, 6))
    np.testing.assert_array_equal(healthy.volume.voxels, again.volume.voxels)
    correlation = np.corrcoef(healthy.volume.voxels.ravel()[:500_000], other.volume.voxels.ravel()[:500_000])[
        0, 1
    ]
    assert correlation < 0.999
