"""Lumps of exact volume."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.phantoms.ct.bleeding import (
    Lump,
    blood_hu,
    clot,
    confined,
    level_of_volume,
    oedema_hu,
    ragged_depth,
)
from training.phantoms.ct.slice_lattice import SliceLattice
from training.phantoms.haemorrhage import BloodLook

LATTICE = SliceLattice(
    np.array([-1.0, 0, 0]),
    np.array([0, -1.0, 0]),
    np.array([[40.0, 40.0, 4.0 * k] for k in range(20)]),
    (80, 80, 20),
)
CENTRE = np.array([0.0, 0.0, 40.0])
BOX = LATTICE.box(CENTRE, 36.0)
LOOK = BloodLook(hu=65, mottle_hu=3, layered=False, oedema_hu=12, oedema_mm=5)


def _lump(seed: int, radius_mm: float = 15.0) -> tuple[np.ndarray, np.ndarray]:
    lump = Lump.draw(CENTRE, radius_mm, np.random.default_rng(seed))
    return ragged_depth(LATTICE, BOX, lump, -1.0), ragged_depth(LATTICE, BOX, lump, 1.0)


@given(st.integers(0, 1000), st.floats(2, 25))
def test_the_mask_has_the_asked_volume(seed: int, volume_ml: float) -> None:
    share, inside, _ = clot(LATTICE, BOX, _lump(seed), volume_ml, 0.6)
    assert np.count_nonzero(inside) * 0.004 == pytest.approx(volume_ml, rel=0.01)
    assert share.sum() * 0.004 == pytest.approx(volume_ml, rel=0.12)
    assert share[inside].min() >= 0.5 - 1e-6
    assert share[~inside].max() <= 0.5 + 1e-6


def test_a_bleed_with_more_volume_than_tissue_fills_it() -> None:
    depth = np.linspace(-1, 1, 60, dtype=np.float32).reshape(3, 4, 5)
    level = level_of_volume(depth, np.full(5, 0.001), 100.0)
    assert level <= depth.min() + 1.01


def test_lumps_are_irregular_and_differ() -> None:
    first, second = _lump(1)[0], _lump(2)[0]
    assert np.abs(first - second).mean() > 1
    distance = np.sqrt(sum(axis**2 for axis in LATTICE.offsets(BOX, CENTRE)))
    surface = np.abs(first) < 0.7
    assert distance[surface].std() > 1


def test_a_lump_is_kept_inside_its_tissue() -> None:
    lump = _lump(1)[0]
    tissue = LATTICE.offsets(BOX, CENTRE).x  # only where x > 0
    kept = confined(lump, tissue)
    assert (kept[tissue < 0] < 0).all()
    assert (kept <= lump + 1e-4).all()


def test_serum_floats_in_front_of_settled_cells() -> None:
    layered = BloodLook(hu=65, mottle_hu=0, layered=True, oedema_hu=0, oedema_mm=5)
    density = blood_hu(LATTICE, BOX, CENTRE, layered, np.random.default_rng(0))
    forward = LATTICE.offsets(BOX, CENTRE).y
    assert density[forward > 15].mean() < density[forward < -15].mean() - 15


def test_oedema_fades_outwards() -> None:
    drop = oedema_hu(np.array([3, 0, -3, -30], np.float32), LOOK)
    assert drop[0] == drop[1] == pytest.approx(12)
    assert drop[1] > drop[2] > drop[3]
    assert drop[3] < 0.01
