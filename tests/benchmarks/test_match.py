"""The arithmetic of a match, and who plays."""

import sys
from pathlib import Path

import pytest

from app.imaging.volume import Modality
from benchmarks.cases import Case
from benchmarks.match import CONVERTER, FLOOR, OUR_READING, OURS, Match, entrants, ratio


def _case(unpacked: Path) -> Case:
    return Case("any", (unpacked,), unpacked, Modality.CT)


def test_the_ratio_is_taken_within_each_round_so_that_a_slow_round_does_not_count() -> None:
    assert ratio([2.0, 20.0, 2.2], [1.0, 10.0, 1.0]) == pytest.approx(2.0)


def test_a_converter_is_measured_against_our_reading_alone(tmp_path: Path) -> None:
    match = Match(_case(tmp_path), wall_s={OURS: [4.0], OUR_READING: [1.0], CONVERTER: [3.0], FLOOR: [2.0]})
    assert match.times_ours(CONVERTER) == pytest.approx(3.0)
    assert match.times_ours(FLOOR) == pytest.approx(0.5)
    assert match.times_ours("monai") is None


def test_without_the_peers_environment_we_play_alone(tmp_path: Path) -> None:
    assert set(entrants(_case(tmp_path), tmp_path / "nowhere")) == {OURS, OUR_READING, FLOOR}


def test_a_converter_of_dicom_is_given_folders_only(tmp_path: Path) -> None:
    file = tmp_path / "image.nii.gz"
    file.touch()
    assert CONVERTER in entrants(_case(tmp_path), Path(sys.executable))
    assert CONVERTER not in entrants(_case(file), Path(sys.executable))
