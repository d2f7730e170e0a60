"""The page of the architecture names what is there, in the direction that import-linter holds."""

import re
from configparser import ConfigParser

from tests.contract.repository import ROOT

PAGE = (ROOT / "docs" / "concepts" / "architecture.md").read_text(encoding="utf-8")


def _linter() -> ConfigParser:
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    return contracts


def _table(heading: str) -> list[str]:
    """First cells of the table under a heading, the names in backticks among them."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| ([^|]+) \|", section, flags=re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([\w/]+)`", row)]


def test_the_layers_are_those_of_import_linter() -> None:
    (shown,) = re.findall(r"^```\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    held = _linter()["importlinter:contract:layers"]["layers"]
    assert shown.split("\n")[:-1] == held.strip().split("\n")


def test_every_module_of_the_service_has_its_line() -> None:
    there = {
        path.stem
        for path in (ROOT / "app").iterdir()
        if (path / "__init__.py").is_file() or (path.suffix == ".py" and path.stem != "__init__")
    }
    assert sorted(_table("Layers of the service")) == sorted(there)


def test_every_door_is_named() -> None:
    protected = {
        library
        for name, contract in _linter().items()
        if ":door-" in name
        for library in contract["protected_modules"].split()
    }
    libraries = re.findall(r"^\| ([\w, ]+) \| `", PAGE, flags=re.MULTILINE)
    assert {library for row in libraries for library in row.split(", ")} >= protected


def test_every_step_of_training_has_its_line() -> None:
    commands = {path.stem for path in (ROOT / "training" / "commands").glob("[a-z]*.py")}
    assert commands <= set(_table("The way of a run"))
