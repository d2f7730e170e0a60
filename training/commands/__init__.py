"""The steps of a run as subcommands, one file each; each reads a folder, writes a folder, and can be run again.

Every module has a docstring with an example (shown by `--help`), `add_arguments(parser)` and `run(options) -> exit status`.
"""

import argparse


def positive(text: str) -> int:
    """A whole number of at least 1, as the type of an option."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number >= 1, got {text!r}")
    return int(text)
