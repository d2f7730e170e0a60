"""Whole phantoms: volume, density, place, determinism."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from tests.training.phantoms.protocols import protocol
from training.phantoms.haemorrhage import Haemorrhage
from training.phantoms.head_ct import Phantom, head_ct
from training.phantoms.scanner import draw_acquisition

BLEEDS = (
    Haemorrhage("lobar", "left", 45.0, intraventricular=False),
    Haemorrhage("deep", "right", 12.0, intraventricular=True),
    Haemorrhage("infratentorial", "left", 6.0, intraventricular=False),
    Haemorrhage("deep", "left", 1.5, intraventricular=False),
    Haemorrhage("lobar", "right", 110.0, intraventricular=True),
)


def _phantom(bleed: Haemorrhage | None, seed: int = 1, **geometry: float) -> Phantom:
    return head_ct(bleed, 66.0, protocol(**geometry), np.random.default_rng(seed))  # type: ignore[arg-type]


@pytest.mark.parametrize("bleed", BLEEDS, ids=lambda b: f"{b.location}-{b.volume_ml:g}")
@pytest.mark.parametrize("seed", [2, 19])
def test_the_bleed_has_its_volume_stands_out_and_reaches_the_ventricles_if_asked(
    bleed: Haemorrhage, seed: int
) -> None:
    acquisition = draw_acquisition(np.random.default_rng(seed))
    phantom = head_ct(bleed, 66.0, acquisition, np.random.default_rng(seed))
    assert phantom.truth_volume_ml == pytest.approx(bleed.volume_ml, rel=0.05)
    voxel_ml = abs(np.linalg.det(phantom.volume.grid.affine[:3, :3])) / 1000
    assert np.count_nonzero(phantom.mask == 1) * voxel_ml == pytest.approx(bleed.volume_ml, rel=0.05)
    voxels, blood = phantom.volume.voxels, phantom.mask > 0
    ring = binary_dilation(blood, iterations=4) & ~binary_dilation(blood) & (np.abs(voxels - 35) < 50)
    assert 45 < np.median(voxels[phantom.mask == 1]) < 85
    assert np.median(voxels[blood]) > np.median(voxels[ring]) + 12
    assert (phantom.mask == 2).any() == bleed.intraventricular


@pytest.mark.parametrize("tilt", [0.0, 18.5])
def test_the_bleed_lies_where_its_side_and_place_say(tilt: float) -> None:
    for bleed in BLEEDS[:3]:
        phantom = _phantom(bleed, tilt=tilt)
        volume, index = phantom.volume, np.argwhere(phantom.mask == 1)
        world = (
            volume.slice_origins[index[:, 2]] + index[:, :1] * volume.step_i + index[:, 1:2] * volume.step_j
        )
        x, _, z = world.mean(axis=0)
        assert np.sign(x) == bleed.sign
        assert (z < -15) == (bleed.location == "infratentorial")


def test_equal_states_give_equal_bytes() -> None:
    first, again, other = (_phantom(BLEEDS[1], seed=seed) for seed in (3, 3, 4))
    assert first.volume.voxels.tobytes() == again.volume.voxels.tobytes()
    assert first.mask.tobytes() == again.mask.tobytes()
    assert first.volume.voxels.tobytes() != other.volume.voxels.tobytes()


def test_a_head_without_a_bleed_has_an_empty_mask() -> None:
    phantom = _phantom(None)
    assert not phantom.mask.any()
    assert phantom.truth_volume_ml == 0


def test_densities_are_those_of_a_head() -> None:
    phantom = _phantom(None, noise_hu=0.5)
    voxels = phantom.volume.voxels
    assert voxels.dtype == np.int16
    assert -1024 <= voxels.min() < -950
    assert 900 < np.percentile(voxels[voxels > 300], 90) < 2000
    middle = voxels[58:86, 50:100, 24]  # inside the brain above the ventricles
    brain = middle[(middle > -10) & (middle < 90)]
    assert len(brain) > 0.95 * middle.size
    assert 24 < np.median(brain) < 44
    assert np.percentile(brain, 2) < 24  # fluid
    soft = voxels[(voxels > -150) & (voxels < -50)]
    assert len(soft) > 0.01 * np.count_nonzero(voxels > -200)  # fat


def test_ventricles_grow_with_age() -> None:
    volumes = []
    for age in (25.0, 90.0):
        dark = []
        for seed in range(4):
            phantom = head_ct(None, age, protocol(noise_hu=0.5), np.random.default_rng(seed))
            middle = phantom.volume.voxels[48:96, 40:110, 13:22]
            dark.append(np.count_nonzero((middle > -20) & (middle < 16)))
        volumes.append(np.mean(dark))
    assert volumes[1] > 1.5 * volumes[0]


def test_noise_is_what_the_protocol_says() -> None:
    spreads = []
    for noise_hu in (2.0, 6.0):
        phantom = _phantom(None, noise_hu=noise_hu)
        quiet = _phantom(None, noise_hu=0.0)
        rest = (phantom.volume.voxels - quiet.volume.voxels)[60:84, 60:90, 20:26]
        spreads.append(rest.std())
    assert spreads == pytest.approx([2.0, 6.0], rel=0.12)
