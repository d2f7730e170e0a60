"""The tutorial "Train on your own cohort", typed in from top to bottom."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.repository import ROOT
from tests.support.loaded import run_loaded
from tests.support.ports import free_port

# A slow machine may take longer for it than any other test.
pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.timeout(3600)]

TUTORIAL = ROOT / "docs" / "tutorials" / "own-cohort.md"
TYPED = re.compile(r"^```bash\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
STEP = "python -m training "
LESS = {
    "--train 16 --validation 6 --calibration 6 --test 6": "--train 8 --validation 4 --calibration 4 --test 4",
    "--image-cases 2": "--image-cases 1",
    "--retry 60": "--retry 600",
}
"""Numbers that decide how long it takes and nothing else, as the tutorial has them and as they are typed here."""


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which every block was run from top to bottom, and what was printed.

    Up to the first training a shell runs them all. What trains, judges or exports after it begins with the libraries that the first one loaded.
    """
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "training").symlink_to(ROOT / "training")
    (folder / "app").symlink_to(ROOT / "app")
    log, port, loaded = folder / "printed.txt", free_port(), False
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NEUROFUSE_PORT": str(port),
        "COLUMNS": "120",
    }
    told = TUTORIAL.read_text(encoding="utf-8").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    for theirs, ours in LESS.items():
        assert told.count(theirs) == 1, theirs
        told = told.replace(theirs, ours)
    for block in TYPED.findall(told):
        lines = block.splitlines()
        if loaded and all(line.startswith(STEP) for line in lines):
            ended = [run_loaded(log, step, folder, line) for line in lines]
        else:
            ended = [_by_a_shell(log, folder, block, environment)]
        assert not any(ended), log.read_text(encoding="utf-8")[-4000:]
        loaded = loaded or block.startswith(f"{STEP}train ")
    return folder, log.read_text(encoding="utf-8")


def _by_a_shell(log: Path, folder: Path, block: str, environment: Mapping[str, str]) -> int:
    with log.open("ab") as printed:
        return subprocess.run(  # noqa: S603 - what the tutorial says
            ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607 - bash of the PATH
            cwd=folder,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def step(folder: Path, line: str) -> None:
    """What `python -m training` does of itself."""
    os.environ["COLUMNS"] = "120"
    os.chdir(folder)
    sys.argv = shlex.split(line)[2:]
    runpy.run_module("training", run_name="__main__", alter_sys=True)


def test_every_step_of_the_tutorial_is_typed(typed: tuple[Path, str]) -> None:
    _, printed = typed
    blocks = TYPED.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert len(blocks) == TUTORIAL.read_text(encoding="utf-8").count("```bash\n")
    steps = {
        line.split()[3] for block in blocks for line in block.splitlines() if line.startswith("python -m")
    }
    assert {"phantoms", "check", "train", "evaluate", "report", "export"} <= steps
    assert '"model":{"name":"practice","version":1' in printed.replace(" ", "")


def test_it_leaves_a_report_and_a_package(typed: tuple[Path, str]) -> None:
    folder, _ = typed
    assert "phantoms" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "store" / "practice" / "1" / "manifest.json").is_file()


def test_no_step_warns_of_what_is_none_of_the_users_business(typed: tuple[Path, str]) -> None:
    """Such as torch's exporter, which warns once a process of itself, and of operators that no graph of ours has."""
    _, printed = typed
    assert "Warning:" not in printed
    assert "torch" not in printed
