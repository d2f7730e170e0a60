"""The parts of the phantom brain that atrophy changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.phantoms.brain_anatomy import (
    Atrophy,
    Brain,
    grow_brain,
    hippocampus_volume_ratio,
)

STEP_MM = 2.0


def _brain(z: float = 0.0, width: float = 1.0, seed: int = 1) -> Brain:
    return grow_brain(Atrophy(z, width, 0.5), STEP_MM, np.random.default_rng(seed))


@given(st.floats(-8, 4), st.floats(0.01, 3))
def test_more_z_never_means_less_hippocampus(z: float, more: float) -> None:
    assert 0 < hippocampus_volume_ratio(z) <= hippocampus_volume_ratio(z + more)


def test_shares_are_shares_and_ventricles_hold_no_brain() -> None:
    brain = _brain(width=1.6)
    for share in (brain.brain, brain.white, brain.hippocampi, brain.ventricles):
        assert 0 <= share.min() <= share.max() <= 1
    assert brain.brain[brain.ventricles > 0.5].max() <= 0.5
    assert brain.brain[brain.hippocampi > 0.5].min() > 0.5
    assert brain.white[brain.hippocampi > 0.5].max() <= 0.5
    assert (brain.hippocampi + brain.ventricles).max() <= 1 + 1e-6


def test_what_the_hippocampus_loses_becomes_fluid() -> None:
    full, lost = _brain(0.0), _brain(-3.5)
    was_hippocampus = full.hippocampi > 0.5
    assert full.brain[was_hippocampus].mean() > lost.brain[was_hippocampus].mean() + 0.2


def test_the_temporal_horn_opens_as_the_hippocampus_shrinks() -> None:
    ventricles = [_brain(z).ventricles.sum() for z in (0.0, -4.0)]
    assert ventricles[1] > ventricles[0]


def test_the_volume_of_the_hippocampi_is_the_healthy_one_times_the_ratio_of_their_z() -> None:
    healthy = _brain(0.0).hippocampus_ml
    assert healthy == pytest.approx(6.6, abs=0.6)
    for z in (-4.0, -2.0, 1.0):
        assert _brain(z).hippocampus_ml / healthy == pytest.approx(hippocampus_volume_ratio(z), abs=0.05)


def test_both_sides_have_a_hippocampus_of_the_same_size_but_not_mirrored() -> None:
    brain = _brain()
    right = brain.lattice.axis(0) > 0
    sides = [brain.hippocampi[side].sum() for side in (right, ~right)]
    assert sides[0] == pytest.approx(sides[1], rel=0.15)
    assert not np.allclose(brain.hippocampi, brain.hippocampi[::-1], atol=0.2)
