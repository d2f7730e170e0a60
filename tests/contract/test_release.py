"""One version everywhere, and a package that keeps what it declares."""

import json
import re
import tomllib
from importlib.metadata import distribution
from typing import Any

import pytest
from packaging.version import Version

import app
from tests.contract.repository import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", CHANGELOG, flags=re.MULTILINE)


def test_this_is_the_newest_release_of_the_changelog_or_on_the_way_to_the_next() -> None:
    assert RELEASES
    here = Version(app.__version__)
    assert here == Version(RELEASES[0][0]) or (here.is_devrelease and here > Version(RELEASES[0][0]))


def test_releases_go_back_in_time_from_top_to_bottom() -> None:
    versions = [tuple(int(part) for part in version.split(".")) for version, _ in RELEASES]
    assert versions == sorted(versions, reverse=True)
    dates = [date for _, date in RELEASES]
    assert dates == sorted(dates, reverse=True)


def test_changes_wait_under_unreleased() -> None:
    assert CHANGELOG.index("## [Unreleased]") < CHANGELOG.index(f"## [{RELEASES[0][0]}]")


PLACES = ("pyproject.toml", "Dockerfile", "docker-compose.yml", "docs/how-to/deploy.md", "web/openapi.json")
VERSION_NAMED = re.compile(
    r'(?:^version = "|VERSION=|neurofuse:|^    "version": ")(\d+\.\d[\w.]*)', flags=re.MULTILINE
)


@pytest.mark.parametrize("place", PLACES)
def test_this_version_stands_wherever_one_does(place: str) -> None:
    assert set(VERSION_NAMED.findall((ROOT / place).read_text(encoding="utf-8"))) == {app.__version__}


def test_the_page_has_this_version_as_npm_writes_it() -> None:
    package = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    named = {package["version"], lock["version"], lock["packages"][""]["version"]}
    assert named == {app.__version__.replace(".dev", "-dev.")}


def test_the_console_command_exists() -> None:
    (command,) = (entry for entry in distribution("neurofuse").entry_points if entry.name == "neurofuse")
    assert callable(command.load())


def test_the_licence_is_apache_2() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_serving_extras_draw_no_training_library() -> None:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    serving = [*project["dependencies"], *extras["cpu"], *extras["gpu"]]
    names = {re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0].lower() for requirement in serving}
    assert names.isdisjoint({"torch", "lightning", "monai", "pandas", "scikit-learn", "onnx"})
