"""Where bleeds start and how they push."""

import numpy as np
import pytest

from training.phantoms.ct.shapes import Points
from training.phantoms.haemorrhage import BloodLook, Haemorrhage, Location, draw_centre, push


def _bleed(volume_ml: float = 60.0, location: Location = "deep") -> Haemorrhage:
    return Haemorrhage(location, "left", volume_ml, intraventricular=False)


@pytest.mark.parametrize("location", ["lobar", "deep", "infratentorial"])
def test_bleeds_start_on_their_side_and_in_their_place(location: Location) -> None:
    centres = np.array(
        [draw_centre(_bleed(20, location), np.random.default_rng(seed)) for seed in range(100)]
    )
    assert (centres[:, 0] < 3).all()  # the patient's left
    assert (centres[:, 2] < -15).all() == (location == "infratentorial")
    assert centres.std(axis=0).min() > 1


def test_large_bleeds_below_the_tentorium_start_in_the_cerebellum() -> None:
    for seed in range(60):
        assert draw_centre(_bleed(30, "infratentorial"), np.random.default_rng(seed))[1] < -45


def test_a_ball_of_the_radius_has_the_volume() -> None:
    assert 4 / 3 * np.pi * _bleed(33).radius_mm ** 3 == pytest.approx(33_000)


def test_tissue_between_bleed_and_midline_came_from_the_bleeds_side() -> None:
    p = Points(*np.array([[0, 0, 5], [60, 0, 5]], np.float32).T)
    pushed = push(p, _bleed(), (-28.0, 0.0, 3.0), np.array([60, 60], np.float32))
    assert pushed.before.x[0] < -2
    assert abs(pushed.before.x[1] - 60) < 1
    assert pushed.squeeze_mm[0] > pushed.squeeze_mm[1] > 0


def test_bone_stays_and_small_bleeds_push_nothing() -> None:
    p = Points(*np.array([[-60, 0, 5]], np.float32).T)
    centre = (-28.0, 0.0, 3.0)
    assert push(p, _bleed(), centre, np.zeros(1, np.float32)).before == p
    assert push(p, _bleed(3), centre, np.full(1, 20, np.float32)).before == p
    assert push(p, None, None, np.full(1, 20, np.float32)).before is p


def test_blood_is_denser_than_brain() -> None:
    looks = [BloodLook.draw(np.random.default_rng(seed)) for seed in range(100)]
    assert all(50 <= look.hu <= 80 for look in looks)
    assert 0 < sum(look.layered for look in looks) < 30
