"""What differs between heads."""

import numpy as np

from training.phantoms.ct.traits import BrainTraits, SkullTraits


def test_fluid_spaces_widen_with_age() -> None:
    means = []
    for age in (25.0, 60.0, 90.0):
        brains = [BrainTraits.draw(age, np.random.default_rng(seed)) for seed in range(200)]
        means.append(
            [np.mean([getattr(b, name) for b in brains]) for name in ("ventricle_scale", "sulcus_mm")]
        )
    assert (np.diff(means, axis=0) > 0.1).all()


def test_grey_matter_is_denser_than_white_and_fluid() -> None:
    for seed in range(100):
        brain = BrainTraits.draw(60, np.random.default_rng(seed))
        assert brain.grey_hu - 4 > brain.white_hu > brain.csf_hu + 5


def test_heads_differ_in_every_trait() -> None:
    heads = [vars(SkullTraits.draw(np.random.default_rng(seed))) for seed in range(60)]
    for name in heads[0]:
        assert len({head[name] for head in heads}) > 1
