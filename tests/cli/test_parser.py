"""What every command takes is told at once, with an example, and the function that it names is there."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import get_type_hints

import pytest

from app.cli.parser import build_parser
from app.settings import Settings
from tests.support.modules import loaded_by


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its commands and verbs."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from commands(verb)


@pytest.mark.parametrize("command", [*commands(build_parser())], ids=lambda command: command.prog)
def test_every_command_says_what_it_does_with_an_example_that_it_understands(
    command: argparse.ArgumentParser,
) -> None:
    assert command.description
    printed = command.format_help().partition("example")[2]
    examples = re.findall(r"(?:^| )neurofuse (?!COMMAND)([^>&\n]*)", printed)
    assert any(f"neurofuse {example}".startswith(command.prog) for example in examples)
    for example in examples:
        assert build_parser().parse_args(shlex.split(example)).run


@pytest.mark.parametrize("command", [*commands(build_parser())], ids=lambda command: command.prog)
def test_every_command_names_a_function_that_takes_its_arguments_and_the_settings(
    command: argparse.ArgumentParser,
) -> None:
    """Where it has no verbs that must be given."""
    if run := command.get_default("run"):
        taken, *others = get_type_hints(resolve_name(run.args[0])).items()
        assert (taken[1], *dict(others).values()) == (argparse.Namespace, Settings, int)


def test_help_loads_no_library_and_a_verb_only_its_own() -> None:
    parsers = (
        "import argparse; from app.cli import build_parser\n"
        "def show(parser):\n"
        "    parser.format_help()\n"
        "    for action in parser._actions:\n"
        "        if isinstance(action, argparse._SubParsersAction): [*map(show, action.choices.values())]\n"
        "show(build_parser())"
    )
    assert loaded_by(parsers) == {"app"}
    here = "import app.cli.outcome, app.cli.healthcheck, app.administration." + ", app.administration.".join(
        ["audit", "copying", "keys", "sessions"]
    )
    assert loaded_by(here).isdisjoint(
        {"fastapi", "httpx", "nibabel", "onnxruntime", "pydicom", "scipy", "uvicorn"}
    )
