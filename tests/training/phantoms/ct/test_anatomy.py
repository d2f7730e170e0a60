"""A head at the nodes: bones, brain, and what a bleed and a calcification find there."""

import numpy as np
import pytest

from tests.training.phantoms.protocols import protocol
from training.phantoms.ct.anatomy import Anatomy, draw_anatomy
from training.phantoms.ct.raster import Raster
from training.phantoms.haemorrhage import Haemorrhage

RASTER = Raster.of(protocol())


def _head(seed: int = 0, age: float = 65.0, bleed: Haemorrhage | None = None) -> Anatomy:
    return draw_anatomy(RASTER, bleed, age, np.random.default_rng(seed))


def _litres(inside: np.ndarray) -> float:
    """Volume of nodes, which stand 4 mm by 4 mm by half a slice apart."""
    return float(np.count_nonzero(inside) * 4 * 4 * 2.5 / 1e6)


def test_a_skull_holds_a_brain_of_human_size() -> None:
    for seed in range(4):
        cavity = _head(seed).skull.cavity
        assert _litres(cavity > 0) == pytest.approx(1.5, abs=0.35)


def test_bone_closes_the_cavity_and_skin_the_bone() -> None:
    skull = _head().skull
    high = RASTER.points.z > 5  # above the openings of the base
    rim = (skull.cavity < -0.5) & (skull.cavity > -2) & high
    assert rim.any()
    assert (skull.bone[rim] > -0.5).mean() > 0.98
    assert (skull.skin[skull.bone > 0] > 0).all()


def test_air_lies_below_the_brain_and_the_eyes_in_front() -> None:
    p, skull = RASTER.points, _head().skull
    air = skull.air > 0
    assert air.any()
    assert p.z[air].max() < 15
    assert p.y[skull.globe > 0].min() > 30


def test_ventricles_are_larger_in_the_old() -> None:
    volumes = []
    for age in (25.0, 88.0):
        heads = [_head(seed, age) for seed in range(5)]
        volumes.append(np.mean([_litres(h.brain.ventricles > 0) * 1000 for h in heads]))
    assert 4 < volumes[0] < 30
    assert volumes[1] > 1.6 * volumes[0]


def test_the_cerebellum_lies_below_the_tentorium_and_the_temporal_lobe_above() -> None:
    p, brain = RASTER.points, _head().brain

    def height(x: float, y: float, z: float) -> float:
        distance = (p.x - x) ** 2 + (p.y - 14 - y + 14) ** 2 + (p.z - z) ** 2
        return float(brain.tent.ravel()[int(np.argmin(distance))])

    assert height(25, -62, -36) < -5
    assert height(45, -5, -20) > 5
    assert height(0, -28, -32) < -5


def test_a_large_bleed_moves_the_midline_away_and_narrows_the_ventricles() -> None:
    bleed = Haemorrhage("deep", "right", 80.0, intraventricular=False)
    calm, moved = _head(3).brain, _head(3, bleed=bleed).brain
    inside = (_head(3).skull.cavity > 20) & (np.abs(RASTER.points.z - 5) < 12)
    assert (moved.midline - calm.midline)[inside].mean() > 1
    assert _litres(moved.ventricles > 0) < _litres(calm.ventricles > 0)


def test_what_is_asked_for_in_the_average_head_is_found_in_this_one() -> None:
    """Choroid plexus calcifies inside the ventricles, however the head is bent."""
    found = []
    for seed in range(8):
        head = _head(seed, 80)
        for blob in head.blobs:
            if abs(blob.centre[0]) > 15 and blob.centre[1] < -35 and blob.centre[2] > 5:
                p = RASTER.points
                distance = sum((axis - c) ** 2 for axis, c in zip(p, blob.centre, strict=True))
                found.append(float(head.brain.ventricles.ravel()[int(np.argmin(distance))]))
    assert len(found) >= 4
    assert np.mean(np.array(found) > -2) > 0.8
