"""The command line: `neurofuse serve | predict | inspect | models | keys | sessions | audit | replay | copy-records | openapi | healthcheck`. Choices come from the same `NEUROFUSE_` variables."""

from collections.abc import Sequence

from app.cli.parser import build_parser
from app.later import later


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process by default.

    Returns:
        0 done, 1 the service or a package failed, 2 what was asked cannot be answered.
    """
    return later("app.cli.outcome:carry_out")(build_parser().parse_args(arguments))
