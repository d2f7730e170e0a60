from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from app.imaging.head.alternation import FEWEST, alternating
from app.imaging.read import read_image
from app.imaging.sampling.lattice import StoredLattice
from app.imaging.volume import Modality, Volume
from tests.imaging.bodies import MR_HEAD, head, image_of, stored_otherwise


def is_found(volume: Volume) -> bool:
    return alternating(volume, StoredLattice.of(volume)) is not None


def with_every_second(volume: Volume, mm: float) -> Volume:
    """Every second slice comes from a scan that lies so far beside this one."""
    voxels = volume.voxels.copy()
    pixels = round(mm / np.linalg.norm(volume.step_i))
    voxels[:, :, 1::2] = np.roll(voxels[:, :, 1::2], pixels, axis=0)
    return replace(volume, voxels=voxels)


# Real images: 28 slices of 5 mm with a tilted gantry; a T1 of 0.7 mm.
@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "modality", "mm"), [("ct-head-ge", Modality.CT, 6), ("mr-t1", Modality.MR, 2)]
)
def test_a_second_scan_between_the_slices_of_a_real_one_is_found_and_the_scan_alone_is_not(
    samples: Path, name: str, modality: Modality, mm: float
) -> None:
    volume = read_image(sorted((samples / name).iterdir()), modality=modality)
    assert not is_found(volume)
    assert is_found(with_every_second(volume, mm))


def test_slices_that_are_brighter_by_turns_are_found() -> None:
    volume = image_of(head(MR_HEAD), Modality.MR)
    voxels = volume.voxels.copy()
    voxels[:, :, ::2] //= 2
    assert not is_found(volume)
    assert is_found(replace(volume, voxels=voxels))


def test_noise_alone_does_not_alternate() -> None:
    volume, rng = image_of(head()), np.random.default_rng(1)
    assert not is_found(replace(volume, voxels=rng.integers(-1000, 1000, volume.voxels.shape)))


def test_the_order_of_storage_does_not_matter() -> None:
    whole = image_of(head())
    mixed = with_every_second(whole, 12)
    for order, flips in product(((0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)), ((1, 1, 1), (-1, 1, -1))):
        assert not is_found(stored_otherwise(whole, order, flips))
        assert is_found(stored_otherwise(mixed, order, flips))


def test_of_few_slices_nothing_is_said() -> None:
    volume = with_every_second(image_of(head(), spacing=(4.0, 4.0, 30.0)), 12)
    assert volume.voxels.shape[2] < FEWEST + 2
    assert not is_found(volume)


def test_gaps_of_two_widths_are_not_compared() -> None:
    """Slices in close pairs: of two beside a middle one, one is near and one far."""
    volume = with_every_second(image_of(head()), 12)
    origins = volume.slice_origins.copy()
    origins[1::2, 2] -= 3.0
    assert not is_found(replace(volume, slice_origins=origins))
