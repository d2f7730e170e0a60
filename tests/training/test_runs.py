"""training.runs: the notes of a run are whole or not there, and say so in words."""

import resource
from pathlib import Path

import pytest

from tests.training.ablation.support import PATIENTS, write_cohort
from training.cohort import CohortError
from training.config import load_config
from training.runs import RUN_FILE, open_run, read_notes, write_notes

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def test_a_disk_that_takes_nothing_leaves_no_empty_notes(tmp_path: Path) -> None:
    """An empty file would be read as the notes of another run, and stop every command after that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_notes(tmp_path / "run", tmp_path, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "run" / RUN_FILE).exists()


def test_notes_that_are_not_there_or_cannot_be_read_are_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"expected run.json in the run's folder, found none"):
        read_notes(tmp_path)
    (tmp_path / RUN_FILE).touch()
    with pytest.raises(CohortError, match="--no-resume"):
        read_notes(tmp_path)


def test_a_cohort_that_was_moved_is_opened_where_it_is_now(tmp_path: Path) -> None:
    config, cohort = load_config(CONFIGS / "practice.toml"), write_cohort(tmp_path / "before", image=True)
    write_notes(tmp_path / "run", cohort, cohort / "prepared")
    moved = cohort.rename(tmp_path / "now")
    with pytest.raises(
        CohortError, match=r"found no such folder; name the folder it is in now with --cohort"
    ):
        open_run(tmp_path / "run", config)
    with pytest.raises(CohortError, match=r"the folder that --cohort names, found no such folder"):
        open_run(tmp_path / "run", config, cohort)
    _, parts = open_run(tmp_path / "run", config, moved)
    assert sum(len(part) for part in parts.values()) == PATIENTS
    assert all(image.is_relative_to(moved) for part in parts.values() for image in part.images)
    assert not cohort.exists()
