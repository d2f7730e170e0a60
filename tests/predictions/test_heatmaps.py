"""Heatmaps stay with their answers, or are gone after their own time, at once and everywhere."""

from itertools import count
from pathlib import Path

import pytest

from app.errors import CaseExpiredError
from app.identifiers import made_s
from app.predictions.answering import NIFTI_NAME, PNG_NAME
from app.predictions.heatmaps import LIST_EVERY_S, Heatmaps
from app.records.artefacts import FolderArtefacts
from app.sweeping import PART_S

DAY_S = 24 * 3600.0
OLD = "01930000-0000-7000-8000-000000000000"
NEW = "01930f00-0000-7000-8000-000000000000"


class Clock:
    """A time that tests set."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Three days after the old answer, and hours after the new one."""
    return Clock((made_s(OLD) or 0) + 3 * DAY_S)


def filled(folder: Path, heatmaps: Heatmaps) -> Heatmaps:
    for prediction_id in (OLD, NEW):
        (folder / "written").mkdir(exist_ok=True)
        for name in (NIFTI_NAME, PNG_NAME):
            (folder / "written" / name).write_text(f"{name} of {prediction_id}")
        heatmaps.keep(prediction_id, folder / "written")
    return heatmaps


def kept(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in (folder / "heatmaps").iterdir()}


def test_both_files_are_where_earlier_releases_kept_them(tmp_path: Path) -> None:
    filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path)))
    assert (tmp_path / "heatmaps" / f"{OLD}.nii.gz").read_text() == f"{NIFTI_NAME} of {OLD}"
    assert (tmp_path / "heatmaps" / f"{OLD}.png").read_text() == f"{PNG_NAME} of {OLD}"
    assert list((tmp_path / "written").iterdir()) == []


def test_without_a_time_of_their_own_they_stay(tmp_path: Path, clock: Clock) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path), now=clock))
    clock.now_s += 10_000 * DAY_S
    assert heatmaps.sweep() == 0
    with heatmaps.local(OLD, "png") as path:
        assert path.is_file()


def test_what_is_over_its_time_is_refused_before_it_is_swept(tmp_path: Path, clock: Clock) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock))
    with pytest.raises(CaseExpiredError), heatmaps.local(OLD, "png"):
        pytest.fail("it was given")
    with heatmaps.local(NEW, "nii.gz") as path:
        assert path.is_file()
    assert kept(tmp_path) == {OLD, NEW}


def test_a_sweep_leaves_to_the_next_what_it_has_no_time_for(tmp_path: Path, clock: Clock) -> None:
    passed_s = count(step=0.6 * PART_S)  # each look at the clock
    heatmaps = filled(
        tmp_path, Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock, lambda: float(next(passed_s)))
    )
    assert [heatmaps.sweep() for _ in range(2)] == [1, 1]
    assert kept(tmp_path) == {NEW}


def test_the_time_of_a_heatmap_ends_as_long_after_its_answer_as_was_said(tmp_path: Path) -> None:
    clock = Clock((made_s(OLD) or 0) + DAY_S - 1)
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock))
    with heatmaps.local(OLD, "png") as path:
        assert path.is_file()
    clock.now_s += 1
    with pytest.raises(CaseExpiredError), heatmaps.local(OLD, "png"):
        pytest.fail("it was given")


def test_a_sweep_removes_what_is_over_its_time_and_nothing_else(tmp_path: Path, clock: Clock) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock))
    (tmp_path / "heatmaps" / "note.txt").write_text("not ours")
    assert heatmaps.sweep() == 2
    assert kept(tmp_path) == {NEW, "note"}


def test_the_store_is_listed_once_an_hour(tmp_path: Path, clock: Clock) -> None:
    passed = Clock(0)
    heatmaps = Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock, passed)
    assert heatmaps.sweep() == 0
    filled(tmp_path, heatmaps)
    passed.now_s += LIST_EVERY_S - 1
    assert heatmaps.sweep() == 0
    passed.now_s += 1
    assert heatmaps.sweep() == 2


def test_a_clock_that_was_ahead_and_is_set_right_puts_no_sweep_off(tmp_path: Path, clock: Clock) -> None:
    passed = Clock(0)
    heatmaps = Heatmaps(FolderArtefacts(tmp_path), DAY_S, clock, passed)
    right_s, clock.now_s = clock.now_s, clock.now_s + 365 * DAY_S
    assert heatmaps.sweep() == 0
    filled(tmp_path, heatmaps)
    clock.now_s = right_s
    passed.now_s += LIST_EVERY_S
    assert heatmaps.sweep() == 2


def test_a_file_that_somebody_removed_is_said_to_be_gone(tmp_path: Path) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path)))
    (tmp_path / "heatmaps" / f"{OLD}.png").unlink()
    with pytest.raises(CaseExpiredError), heatmaps.local(OLD, "png"):
        pytest.fail("there is none")


def test_a_fault_of_who_reads_it_is_not_taken_for_a_missing_file(tmp_path: Path) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path)))
    with pytest.raises(FileNotFoundError), heatmaps.local(OLD, "png"):
        raise FileNotFoundError


def test_deleting_twice_is_no_fault(tmp_path: Path) -> None:
    heatmaps = filled(tmp_path, Heatmaps(FolderArtefacts(tmp_path)))
    for _ in range(2):
        heatmaps.delete(OLD)
    assert kept(tmp_path) == {NEW}
