"""What the documents promise is there: commands, links, files."""

import base64
import os
import re
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.jobs.sender import sign
from app.settings import Settings
from tests.contract.repository import ROOT, shown, text_of, tracked

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
INSTALLED = re.compile(r"[Ii]nstall (--\w+ )?['\"]?neurofuse")
NAMED_TEST = re.compile(r"`((?:\w+/)?test_\w+)`")
NAMED_PATH = re.compile(r"`((?:app|benchmarks|deploy|docs|model_store|tests|training|web)/[\w/.-]+)`")
MADE = {"app/web/", "web/shots/"}
"""Named, and not in a clone: `make page` and `make test-page` make them."""
PAST = {"CHANGELOG.md"}
"""Names what is gone as well."""
EXPORTED = re.compile(r"training export runs/(\w+) --store model_store --version (\d+)")
JOBS = ROOT / "docs" / "how-to" / "jobs.md"
SHELL = {"sh", "bash", "console"}
SETTING = re.compile(r"NEUROFUSE_[A-Z0-9_]+")
NO_SETTINGS = {"NEUROFUSE_SITE", "NEUROFUSE_UPSTREAM", "NEUROFUSE_MEMORY_LIMIT", "NEUROFUSE_SAMPLES"}
"""Read by Compose, by the proxy and by the tests."""


def _documents() -> list[Path]:
    return tracked(".md")


def _verbs() -> dict[str, str]:
    """Verbs of the Makefile with the line `make help` prints for them."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z][a-z-]*):.*?## (.+)$", makefile, flags=re.MULTILINE))


def _commands(document: Path) -> list[str]:
    """Lines of the shell blocks of a document, and its `make ...` in running text."""
    text = text_of(document)
    blocks = [body for language, body in FENCE.findall(text) if language in SHELL]
    lines = [line.partition(" #")[0].strip() for body in blocks for line in body.splitlines()]
    return lines + re.findall(r"`(make [a-z-]+)`", text)


def _slug(heading: str) -> str:
    """The anchor that common renderers give a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return words.replace(" ", "-")


def _anchors(document: Path) -> set[str]:
    prose = FENCE.sub("", text_of(document))
    return {_slug(heading) for heading in re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)}


@pytest.mark.parametrize("document", _documents(), ids=shown)
def test_make_verbs_in_a_document_exist(document: Path) -> None:
    named = {match[1] for line in _commands(document) if (match := re.search(r"\bmake ([a-z][a-z-]*)", line))}
    assert named <= _verbs().keys()


def test_the_readme_tells_how_to_serve_and_test() -> None:
    commands = _commands(ROOT / "README.md")
    assert {"make serve", "make test"} <= set(commands)


@pytest.mark.parametrize("document", _documents(), ids=shown)
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    prose = FENCE.sub("", text_of(document))
    local = [target for target in LINK.findall(prose) + IMAGE.findall(prose) if "://" not in target]
    assert [target for target in local if not _resolves(target, document)] == []


def _resolves(target: str, document: Path) -> bool:
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    return file.exists() and (not anchor or anchor in _anchors(file))


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(text_of(index))}
    pages = {path for path in _documents() if path.is_relative_to(ROOT / "docs") and path != index}
    assert [shown(path) for path in sorted(pages - linked)] == []


@cache
def _tests() -> set[str]:
    """Names of the tests, and of the files they lie in, with and without their folder."""
    files = [path for path in tracked(".py") if path.is_relative_to(ROOT / "tests")]
    named = (re.findall(r"^def (test_\w+)", text_of(path), flags=re.MULTILINE) for path in files)
    return {path.stem for path in files}.union({f"{path.parent.name}/{path.stem}" for path in files}, *named)


@pytest.mark.parametrize("document", _documents(), ids=shown)
def test_what_a_document_names_as_its_proof_is_there(document: Path) -> None:
    text = "" if shown(document) in PAST else text_of(document)
    assert set(NAMED_TEST.findall(text)) <= _tests()
    assert [
        path for path in NAMED_PATH.findall(text) if path not in MADE and not (ROOT / path).exists()
    ] == []


def test_every_setting_that_a_page_names_is_one() -> None:
    settings = {f"NEUROFUSE_{name.upper()}" for name in Settings.model_fields}
    pages = [page for page in _documents() if page.is_relative_to(ROOT / "docs")]
    assert {name for page in pages for name in SETTING.findall(text_of(page))} - settings == NO_SETTINGS


def test_the_receiver_on_the_page_of_jobs_believes_what_is_sent_and_nothing_else() -> None:
    (lines,) = [body for language, body in FENCE.findall(text_of(JOBS)) if language == "python"]
    page: dict[str, Any] = {}
    exec(lines, page)  # noqa: S102 - the page's own words
    key, body, now_s = bytes(range(32)), b'{"type": "prediction.done"}', int(time.time())
    secret = "whsec_" + base64.b64encode(key).decode()

    def is_believed(body: bytes, moment_s: int, signed: bytes) -> bool:
        signature = sign(key, "0193c2f4", moment_s, signed)
        headers = {
            "webhook-id": "0193c2f4",
            "webhook-timestamp": str(moment_s),
            "webhook-signature": signature,
        }
        return bool(page["is_genuine"](secret, headers, body))

    assert is_believed(body, now_s, body)
    assert not is_believed(body, now_s - 301, body), "sent again by somebody else"
    assert not is_believed(body + b" ", now_s, body)


def test_make_alone_prints_every_verb() -> None:
    # The tests are themselves run by make; its inherited flags would add lines of their own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run(
        ["make"],  # noqa: S607 - make of the PATH
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[0].split())
    assert {line.split()[0] for line in printed.splitlines()} == phony == _verbs().keys()


def test_the_gate_runs_the_checks_and_the_tests() -> None:
    gate = ROOT / ".ci" / "run"
    assert gate.stat().st_mode & 0o111
    lines = gate.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    goals = {goal for line in lines if line.startswith("make ") for goal in line.split()[1:]}
    assert {"check", "test", "test-serving", "test-ray"} <= goals


def test_nothing_is_installed_by_our_name_from_an_index() -> None:
    """It is on none: what somebody put there under this name would be installed beside patients' data."""
    told = {shown(path) for path in tracked(".md", ".py", ".yaml", ".yml") if INSTALLED.search(text_of(path))}
    assert told == set()


def test_no_example_exports_a_version_that_is_taken() -> None:
    told = [match for path in tracked(".md", ".py") for match in EXPORTED.findall(text_of(path))]
    assert {name for name, _ in told} == {"gos"}
    assert [each for each in told if (ROOT / "model_store" / "/".join(each)).exists()] == []
