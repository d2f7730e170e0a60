"""What every file of the repository keeps to."""

import re
from pathlib import Path

import pytest

from tests.contract.repository import shown, text_of, tracked

WALL = 400
SOURCES = (".py", ".ts", ".tsx", ".css", ".sh")
NOT_READ_FROM_TOP_TO_BOTTOM = {
    "web/src/api/schema.d.ts",  # generated from the OpenAPI document
    "web/src/texts/en.ts",  # every text of the page: a translator is given one file
}

# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a registry's host: installers are configured by the machine, not by us": [
        "pypi" + ".org",
        "python" + "hosted.org",
        "registry." + "npmjs",
        "download." + "pytorch",
        "deb." + "debian.org",
        "proxy." + "golang.org",
    ],
    "a path of one machine": ["/" + "work/", "/" + "home/", "/" + "root/", "/" + "Users/", "/opt/" + "pypi"],
}


def _sources() -> list[Path]:
    return [path for path in tracked(*SOURCES) if shown(path) not in NOT_READ_FROM_TOP_TO_BOTTOM]


def test_no_source_file_passes_the_wall() -> None:
    lengths = {shown(path): len(text_of(path).splitlines()) for path in _sources()}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > WALL} == {}


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_no_file_holds(reason: str) -> None:
    found = {
        shown(path): needle
        for path in tracked()
        for needle in FORBIDDEN[reason]
        # A host or a root path begins a word: `site-packages/work/` would be somebody's folder.
        if re.search(rf"(?<![\w.-]){re.escape(needle)}", text_of(path))
    }
    assert found == {}


def test_no_graph_says_where_it_was_made() -> None:
    graphs = tracked(".onnx")
    assert graphs
    assert [shown(path) for path in graphs if b".py" in path.read_bytes()] == []


def test_each_test_folder_is_a_package() -> None:
    folders = {path.parent for path in tracked(".py") if shown(path).startswith("tests/")}
    assert [shown(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_suppressions_name_their_rule() -> None:
    blanket = re.compile(r"#\s*(noqa(?!:)|type:\s*ignore(?!\[))")
    found = [
        f"{shown(path)}:{number}"
        for path in tracked(".py")
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if blanket.search(line)
    ]
    assert found == []


def test_no_large_file_is_kept() -> None:
    # Models are the one exception: a reference package travels with the sources.
    large = [
        shown(path)
        for path in tracked()
        if path.stat().st_size > 1_000_000 and not shown(path).startswith("model_store/")
    ]
    assert large == []
