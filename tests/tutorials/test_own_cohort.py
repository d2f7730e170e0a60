"""The tutorial "Train on your own cohort", typed in from top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.repository import ROOT
from tests.support.ports import free_port

# A slow machine may take longer for it than any other test.
pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.timeout(3600)]

TUTORIAL = ROOT / "docs" / "tutorials" / "own-cohort.md"
TYPED = re.compile(r"^```bash\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which every block was run by one shell, and what it printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "training").symlink_to(ROOT / "training")
    (folder / "app").symlink_to(ROOT / "app")
    port = free_port()
    script = "\n".join(TYPED.findall(TUTORIAL.read_text(encoding="utf-8")))
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("--retry 60", "--retry 600")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NEUROFUSE_PORT": str(port),
        "COLUMNS": "120",
    }
    done = subprocess.run(  # noqa: S603 - what the tutorial says
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - bash of the PATH
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return folder, done.stdout


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
