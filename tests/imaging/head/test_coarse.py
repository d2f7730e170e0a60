from itertools import permutations, product

import numpy as np
import pytest

from app.imaging.head.coarse import COARSE_MM, Coarse
from app.imaging.sampling.lattice import StoredLattice
from app.imaging.volume import Modality, Volume
from tests.imaging.bodies import image_of, stored_otherwise
from tests.imaging.making import ramp

VOLUME = image_of(ramp, Modality.MR, (-40, -50, -30), (41, 50, 30), (2.0, 3.0, 5.0))


def read(volume: Volume) -> Coarse:
    return Coarse.of(volume, StoredLattice.of(volume))


def test_it_is_read_every_four_millimetres_or_as_stored() -> None:
    coarse = read(VOLUME)
    assert coarse.steps_mm == pytest.approx((5.0, COARSE_MM, COARSE_MM))
    assert coarse.voxel_ml == pytest.approx(0.08)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product((1, -1), repeat=3))[::3])
def test_values_lie_where_the_places_say_in_every_storage_order(
    order: tuple[int, int, int], flips: tuple[int, int, int]
) -> None:
    volume = stored_otherwise(VOLUME, order, flips)
    coarse = read(volume)
    places = np.stack([coarse.place(volume, axis).ravel() for axis in range(3)], axis=1)
    assert coarse.values.ravel() == pytest.approx(ramp(places), abs=0.5)  # stored as whole numbers
    by_axis = np.stack([coarse.coordinate(volume, axis).ravel() for axis in range(3)], axis=1)
    assert by_axis == pytest.approx(places, abs=1e-3)
