"""A taste of `make fuzz`."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.read import read_image
from tests.fuzz.mutate import mutated
from tests.fuzz.run import LIMITS, all_seeds, make_input, try_batch


def test_every_seed_is_a_valid_upload(tmp_path: Path) -> None:
    # Else its mutations would only show that a broken file stays broken.
    for seed in all_seeds():
        paths = []
        for n, data in enumerate(seed.files):
            paths.append(tmp_path / f"{n}")
            paths[-1].write_bytes(data)
        volume = read_image(paths, modality=seed.modality, limits=LIMITS)
        assert min(volume.voxels.shape) >= 5, seed.name
        for path in paths:
            path.unlink()


def test_mutated_uploads_end_in_a_tensor_or_a_named_refusal() -> None:
    tally = try_batch(0, range(100))
    assert tally.findings == []
    assert sum(tally.outcomes.values()) == 100
    assert len(tally.outcomes) > 3
    assert tally.outcomes["answered"] > 0


def test_an_input_is_made_again_from_two_numbers() -> None:
    assert make_input(3, 5) == make_input(3, 5)
    assert make_input(3, 5) != make_input(3, 6)


@given(st.integers(0, 10_000))
def test_a_mutation_changes_a_file_and_never_grows_it_beyond_reason(seed: int) -> None:
    data = bytes(range(256)) * 4
    changed = mutated(data, [data], np.random.default_rng(seed))
    assert len(changed) <= len(data) + 6 * 300
