"""The drawn tree of `app/errors/__init__.py` is the tree of its classes; each leaf has a code of its own."""

import re

import pytest

from app import errors
from app.errors import NeuroFuseError

INDENT = 4
NODE = re.compile(r"^ {4}(?P<stem>[│├└─ ]*)(?P<name>\w+Error)(?: +(?P<note>.*))?$")

Row = tuple[str, str | None, str]
"""Class, the class it is drawn under, and the words beside it."""


def _drawn() -> list[Row]:
    """Read the picture: a class hangs under the last class drawn one step further left."""
    trail: list[str] = []
    rows: list[Row] = []
    for line in (errors.__doc__ or "").splitlines():
        if (node := NODE.match(line)) is None:
            continue
        depth = _depth(node["stem"])
        rows.append((node["name"], trail[depth - 1] if depth else None, node["note"] or ""))
        trail[depth:] = [node["name"]]
    return rows


def _depth(stem: str) -> int:
    return len(stem) // INDENT


def _classes() -> dict[str, type[NeuroFuseError]]:
    members = vars(errors).values()
    return {m.__name__: m for m in members if isinstance(m, type) and issubclass(m, NeuroFuseError)}


def _leaves() -> list[type[NeuroFuseError]]:
    return [cls for cls in _classes().values() if not cls.__subclasses__()]


def test_the_drawing_names_every_class_once() -> None:
    names = [name for name, _, _ in _drawn()]
    assert sorted(names) == sorted(_classes())


def test_the_drawing_hangs_every_class_under_its_base() -> None:
    drawn = {name: parent for name, parent, _ in _drawn()}
    written = {name: cls.__base__.__name__ for name, cls in _classes().items() if cls.__base__ is not None}
    assert drawn == written | {"NeuroFuseError": None}


def test_the_drawing_gives_every_leaf_its_code() -> None:
    notes = {name: note for name, _, note in _drawn()}
    assert {cls.__name__: cls.code for cls in _leaves()} == {
        cls.__name__: notes[cls.__name__] for cls in _leaves()
    }


def test_codes_are_unique() -> None:
    codes = [cls.code for cls in _leaves()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("cls", _leaves(), ids=lambda cls: cls.__name__)
def test_a_leaf_has_a_kebab_case_code_and_a_sentence_of_its_own(cls: type[NeuroFuseError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert {"code", "title"} <= vars(cls).keys()
    assert cls.title.endswith(".")


def test_errors_know_nothing_of_http() -> None:
    assert not {name for name in vars(errors) if "http" in name.lower() or "status" in name.lower()}
