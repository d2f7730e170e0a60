"""The steps of a run as subcommands, one file each; each reads a folder, writes a folder, and can be run again.

Every module has a docstring with an example (shown by `--help`), `add_arguments(parser)` and `run`, which names the function of
`training.steps` that does it (`app.later`): torch, MONAI and Lightning take seconds to load, and neither `--help` nor a slip needs them.
"""

import argparse
from collections.abc import Callable

from app.model_package.naming import PACKAGE_VERSION


def at_least(least: int) -> Callable[[str], int]:
    """A whole number from `least` on, as the type of an option."""

    def whole_number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {least}, got {text!r}")
        return int(text)

    return whole_number


positive = at_least(1)


def package_version(text: str) -> int:
    """Of a package, as the type of an option."""
    if not PACKAGE_VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 to 9 digits, got {text!r}")
    return int(text)
