"""The folded surface of the phantom brain."""

import numpy as np

from training.phantoms.brain_surface import cerebrum_depth, folded_depth, hull_depth
from training.phantoms.implicit import Lattice

BOX = Lattice.covering((-75.0, -110.0, -72.0), (75.0, 78.0, 86.0), 2.0)


def test_the_hull_is_as_large_as_a_brain_with_its_fluid() -> None:
    litres = (hull_depth(BOX.axes()) > 0).sum() * 2.0**3 / 1e6
    assert 1.3 < litres < 1.9


def test_folds_only_take_away_and_thinning_takes_more() -> None:
    hull = cerebrum_depth(BOX.axes())
    upper = np.s_[:, :, 60:]  # above cerebellum and brainstem
    full, thin = (folded_depth(BOX, thinning, np.random.default_rng(3)) for thinning in (0.2, 2.5))
    assert (full[upper] <= hull[upper] + 0.3).all()
    assert (thin[upper] <= full[upper] + 1e-4).all()
    assert (thin > 0).sum() < 0.95 * (full > 0).sum()


def test_sulci_stay_out_of_the_deep_white_matter() -> None:
    hull = cerebrum_depth(BOX.axes())
    x = BOX.axes()[0]
    deep = (hull > 34) & (np.abs(x) > 8) & (BOX.axes()[2] > 24)
    assert deep.sum() > 500
    assert (folded_depth(BOX, 1.0, np.random.default_rng(4))[deep] > 3).all()


def test_the_hemispheres_are_parted_above_the_callosum() -> None:
    depth = folded_depth(BOX, 0.5, np.random.default_rng(5))
    z = int((60 - BOX.origin[2]) / BOX.step)
    middle = slice(int((-3 - BOX.origin[0]) / BOX.step), int((5 - BOX.origin[0]) / BOX.step))
    rows = depth[middle, 30:70, z].min(axis=0)
    assert (rows < 0.6).mean() > 0.9


def test_no_two_brains_fold_alike() -> None:
    first, second = (folded_depth(BOX, 0.5, np.random.default_rng(seed)) < 0 for seed in (6, 7))
    inside = cerebrum_depth(BOX.axes()) > 3
    overlap = (first & second & inside).sum() / (first & inside).sum()
    assert overlap < 0.6
