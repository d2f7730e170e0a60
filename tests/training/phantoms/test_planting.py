"""Bleeds planted into images that are not ours."""

from pathlib import Path

import numpy as np
import pytest

from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume
from tests.training.phantoms.protocols import protocol
from training.phantoms.ct.slice_lattice import SliceLattice
from training.phantoms.haemorrhage import Haemorrhage
from training.phantoms.head_ct import head_ct
from training.phantoms.planting import plant_haemorrhage


def _volume_ml(volume: Volume, mask: np.ndarray) -> float:
    i, j, k = mask.shape
    lattice = SliceLattice(volume.step_i, volume.step_j, volume.slice_origins, (i, j, k))
    return float(np.count_nonzero(mask, axis=(0, 1)) @ lattice.voxel_ml())


def _centroid(volume: Volume, mask: np.ndarray) -> np.ndarray:
    index = np.argwhere(mask)
    world = volume.slice_origins[index[:, 2]] + index[:, :1] * volume.step_i + index[:, 1:2] * volume.step_j
    return np.asarray(world.mean(axis=0))


def test_only_the_surroundings_of_the_centre_change() -> None:
    volume = head_ct(None, 60.0, protocol(tilt=15.0), np.random.default_rng(0)).volume
    before = volume.voxels.copy()
    bleed = Haemorrhage("deep", "left", 10.0, intraventricular=False)
    planted, mask = plant_haemorrhage(volume, bleed, (-30.0, 14.0, 25.0), np.random.default_rng(1))
    np.testing.assert_array_equal(volume.voxels, before)  # the input is not touched
    assert _volume_ml(volume, mask) == pytest.approx(10, rel=0.03)
    assert np.linalg.norm(_centroid(volume, mask) - [-30, 14, 25]) < 8
    assert (planted.voxels != before).mean() < 0.2
    assert np.median(planted.voxels[mask > 0]) > np.median(before[mask > 0]) + 15


def test_a_centre_in_bone_or_air_is_refused() -> None:
    volume = head_ct(None, 60.0, protocol(), np.random.default_rng(0)).volume
    bleed = Haemorrhage("lobar", "left", 10.0, intraventricular=False)
    with pytest.raises(ValueError, match="inside the brain"):
        plant_haemorrhage(volume, bleed, (-118.0, 14.0, 25.0), np.random.default_rng(1))


@pytest.mark.samples
@pytest.mark.parametrize("volume_ml", [3.0, 15.0, 40.0])
def test_a_real_tilted_head_takes_the_volume_in_spite_of_uneven_gaps(samples: Path, volume_ml: float) -> None:
    real = read_image(sorted((samples / "ct-head-ge").iterdir()), modality=Modality.CT)
    centre = real.slice_origins[17] + 190 * real.step_i + 240 * real.step_j
    bleed = Haemorrhage("deep", "right", volume_ml, intraventricular=False)
    x, y, z = (float(c) for c in centre)
    planted, mask = plant_haemorrhage(real, bleed, (x, y, z), np.random.default_rng(2))
    assert _volume_ml(real, mask) == pytest.approx(volume_ml, rel=0.03)
    assert (real.voxels[mask > 0] < 300).all()  # never in bone
    assert 45 < np.median(planted.voxels[mask > 0]) < 85
