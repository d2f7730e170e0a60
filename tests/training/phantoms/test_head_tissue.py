"""What surrounds the phantom brain."""

import numpy as np
import pytest

from training.phantoms.head_tissue import Contrast, head_signal
from training.phantoms.implicit import Lattice
from training.phantoms.mr_scanner import HEAD_HIGH, HEAD_LOW

CONTRAST = Contrast(grey=0.7, csf=0.2, bone=0.05, marrow=0.5, fat=1.4, muscle=0.45)
LATTICE = Lattice.covering(HEAD_LOW, HEAD_HIGH, 2.0)


def _at(signal: np.ndarray, x: float, y: float, z: float) -> float:
    index = tuple(round((mm - low) / 2.0) for mm, low in zip((x, y, z), LATTICE.origin, strict=True))
    return float(signal[index])


@pytest.fixture(scope="module")
def head() -> tuple[np.ndarray, np.ndarray]:
    return head_signal(LATTICE, CONTRAST, 2.0, np.random.default_rng(0))


def test_the_brains_place_is_filled_with_fluid(head: tuple[np.ndarray, np.ndarray]) -> None:
    signal, hull = head
    assert np.median(signal[hull > 2]) == pytest.approx(CONTRAST.csf, abs=0.01)


def test_bone_fat_and_skin_follow_each_other_outwards(head: tuple[np.ndarray, np.ndarray]) -> None:
    signal, _ = head
    outwards = np.array([_at(signal, 0, -16, z) for z in range(78, 102, 2)])
    assert outwards.max() > 1.0
    brightest = int(outwards.argmax())
    assert outwards[:brightest].min() < 0.25  # bone lies before fat
    assert outwards[-1] < 0.7


def test_the_corners_of_the_box_are_air_and_the_neck_is_not(head: tuple[np.ndarray, np.ndarray]) -> None:
    signal, _ = head
    assert signal[:3, :3].max() == 0
    assert _at(signal, 30, -30, -140) == pytest.approx(CONTRAST.muscle, abs=0.05)


def test_the_nose_is_hollow(head: tuple[np.ndarray, np.ndarray]) -> None:
    assert _at(head[0], 0, 52, -58) == 0


def test_the_box_holds_the_whole_head_but_for_the_neck() -> None:
    for seed in range(4):
        signal, _ = head_signal(LATTICE, CONTRAST, 2.0, np.random.default_rng(seed))
        faces = (signal[0], signal[-1], signal[:, 0], signal[:, -1], signal[:, :, -1])
        assert all(face.max() < 0.05 for face in faces)
