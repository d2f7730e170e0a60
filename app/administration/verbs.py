"""Verbs of a command of the command line, such as `list` of `neurofuse keys`: each with its line of the command's examples."""

import argparse
from collections.abc import Callable
from typing import Any

from app.settings import Settings


def add_verb(
    verbs: Any,  # noqa: ANN401 - argparse names this type in private
    name: str,
    words: str,
    examples: str,
    run: Callable[[argparse.Namespace, Settings], int],
) -> argparse.ArgumentParser:
    """Add a verb to a command.

    Args:
        verbs: Of the command's parser.
        name: As it is typed.
        words: What it does, beginning with a verb.
        examples: Of the command, a line each; the first of this verb is shown with it.
        run: Carries it out; its exit status.
    """
    example = next(line.strip() for line in examples.splitlines() if name in line.split()[2:3])
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=words, description=f"{words[0].upper()}{words[1:]}.", epilog=f"example: {example}"
    )
    parser.set_defaults(run=run)
    return parser
