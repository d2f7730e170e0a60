"""What a run was made with."""

import json
import platform
import resource
from pathlib import Path

import pytest

from app import __version__
from training.environment import read_environment, write_environment


def test_versions_and_machine_are_noted_without_its_name(tmp_path: Path) -> None:
    path = write_environment(tmp_path)
    facts = read_environment(tmp_path)
    assert facts["torch"].startswith("2.")
    assert {"started", "python", "system", "processor", "accelerator"} <= facts.keys()
    assert platform.node() not in path.read_text(encoding="utf-8")


def test_the_release_that_runs_is_noted_whatever_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.environment.version", lambda _: "0.0.1")
    write_environment(tmp_path)
    assert read_environment(tmp_path)["neurofuse"] == __version__


def test_a_resumed_run_keeps_what_it_was_started_with(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(json.dumps({"torch": "1.0"}), encoding="utf-8")
    write_environment(tmp_path)
    assert read_environment(tmp_path) == {"torch": "1.0"}


def test_a_run_that_noted_nothing_has_no_facts(tmp_path: Path) -> None:
    assert read_environment(tmp_path) == {}


def test_a_full_disk_leaves_no_note_that_cannot_be_read(tmp_path: Path) -> None:
    """It would be kept, as that of a resumed run is."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            write_environment(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_environment(tmp_path) == {}


def test_a_note_of_which_a_power_cut_left_nothing_is_none_and_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "environment.json").touch()
    assert read_environment(tmp_path) == {}
    write_environment(tmp_path)
    assert read_environment(tmp_path)["torch"].startswith("2.")
