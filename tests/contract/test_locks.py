"""The locks that the image is built from: of what pyproject.toml asks for, with digests, in every variant."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contract.repository import ROOT

LOCKS = ROOT / "requirements"
ENTRY = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
FIRST_LINE = re.compile(r"^[a-z0-9]\S*==", re.MULTILINE)
INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")


def _pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in ENTRY.findall(lock.read_text(encoding="utf-8"))}


def _asked(variant: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = [
        *project["dependencies"],
        *(each for name in (variant, "postgres", "s3", "tracing") for each in extras[name]),
    ]
    linux = {"sys_platform": "linux"}
    asked = [Requirement(text) for text in texts]
    return [each for each in asked if each.marker is None or each.marker.evaluate(linux)]


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_a_lock_is_of_what_is_asked_for(variant: str) -> None:
    pins = _pins(LOCKS / f"{variant}.txt")
    stale = [
        str(each)
        for each in _asked(variant)
        if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))
    ]
    assert stale == [], "make locks"


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.txt")), ids=lambda lock: lock.name)
def test_every_package_of_a_lock_is_pinned_with_digests(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert _pins(lock)
    assert len(ENTRY.findall(text)) == len(FIRST_LINE.findall(text))
    assert "://" not in text


def test_the_variants_differ_in_the_runtime_alone() -> None:
    cpu, gpu = _pins(LOCKS / "cpu.txt"), _pins(LOCKS / "gpu.txt")
    assert cpu.keys() - gpu.keys() == {"onnxruntime"}
    assert {name for name in gpu.keys() - cpu.keys() if not name.startswith("nvidia-")} <= {
        "onnxruntime-gpu",
        "cuda-toolkit",
    }
    assert {name for name in cpu.keys() & gpu.keys() if cpu[name] != gpu[name]} == set()


def test_every_package_of_the_page_has_its_digest() -> None:
    packages = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))["packages"]
    without = [
        name
        for name, entry in packages.items()
        if name and not INTEGRITY.fullmatch(entry.get("integrity", ""))
    ]
    assert without == []
