"""What a run was made with."""

import json
import platform
from pathlib import Path

from training.environment import read_environment, write_environment


def test_versions_and_machine_are_noted_without_its_name(tmp_path: Path) -> None:
    path = write_environment(tmp_path)
    facts = read_environment(tmp_path)
    assert facts["torch"].startswith("2.")
    assert {"started", "python", "system", "processor", "accelerator"} <= facts.keys()
    assert platform.node() not in path.read_text(encoding="utf-8")


def test_a_resumed_run_keeps_what_it_was_started_with(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(json.dumps({"torch": "1.0"}), encoding="utf-8")
    write_environment(tmp_path)
    assert read_environment(tmp_path) == {"torch": "1.0"}


def test_a_run_that_noted_nothing_has_no_facts(tmp_path: Path) -> None:
    assert read_environment(tmp_path) == {}
