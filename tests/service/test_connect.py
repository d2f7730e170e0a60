"""The program of the page "Connect a PACS or a RIS", as an integrator copies it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.repository import ROOT
from tests.service.server import Server

PAGE = ROOT / "docs" / "how-to" / "connect.md"
PROGRAM = re.compile(r"^```python\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(
    door: tuple[Server, dict[str, dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Server]:
    """A folder that holds the program and a key of the role `system`, and the service that gave it."""
    place = tmp_path_factory.mktemp("connect")
    (program,) = PROGRAM.findall(PAGE.read_text(encoding="utf-8"))
    (place / "send_case.py").write_text(program, encoding="utf-8")
    server, headers = door
    key = headers["system"]["Authorization"].removeprefix("Bearer ")
    (place / "router.key").write_text(f"{key}\n", encoding="utf-8")
    return place, server


def run(
    folder: tuple[Path, Server], study: Path, record: str, number: str
) -> subprocess.CompletedProcess[str]:
    """Send a case as the page says; the number is its idempotency key too."""
    place, server = folder
    (place / "record.json").write_text(record, encoding="utf-8")
    return subprocess.run(  # noqa: S603 - the page's own words
        [sys.executable, "send_case.py", str(study), "record.json", number, number],
        cwd=place,
        env=os.environ | {"SERVICE": str(server.client.base_url)},
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_case_that_is_sent_twice_is_answered_once(folder: tuple[Path, Server], head_ct: Path) -> None:
    first = run(folder, head_ct, '{"age": 71}', "A-17")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["prediction"]["probabilities"]
    assert (folder[0] / "A-17.png").read_bytes().startswith(b"\x89PNG")
    assert run(folder, head_ct, '{"age": 71}', "A-17").stdout == first.stdout


def test_a_picture_that_is_no_longer_kept_is_told_and_nothing_is_written_as_one(
    folder: tuple[Path, Server], head_ct: Path
) -> None:
    place, server = folder
    answered = run(folder, head_ct, '{"age": 72}', "A-16")
    assert answered.returncode == 0, answered.stderr
    (place / "A-16.png").unlink()
    (png,) = (server.data / "heatmaps").glob(f"{json.loads(answered.stdout)['id']}*.png")
    png.unlink()
    again = run(folder, head_ct, '{"age": 72}', "A-16")
    assert again.returncode != 0
    assert "410 Gone" in again.stderr
    assert not (place / "A-16.png").exists()


def test_a_refusal_is_told_by_its_code(folder: tuple[Path, Server], head_ct: Path) -> None:
    refused = run(folder, head_ct, '{"name": "x"}', "A-18")
    assert refused.returncode == 1
    assert refused.stderr.startswith("ehr-invalid: ")
    assert "\n  name is not a feature" in refused.stderr


def test_an_image_that_cannot_be_used_is_told_by_its_code(folder: tuple[Path, Server], head_mr: Path) -> None:
    refused = run(folder, head_mr, "{}", "A-19")
    assert refused.returncode == 1
    assert refused.stderr.startswith("wrong-modality: ")
