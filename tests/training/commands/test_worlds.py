"""The command that trains rows on planted worlds."""

import argparse

import pytest

from training.commands import worlds
from training.networks.rows import ROWS
from training.worlds.theory import expected_auroc

pytestmark = pytest.mark.torch


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    worlds.add_arguments(parser)
    return parser


def test_the_command_prints_what_theory_says_beside_what_was_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--worlds", "random", "--rows", "record", "--seeds", "2", "--epochs", "1"]
    assert worlds.run(_parser().parse_args(options)) == 0
    printed = capsys.readouterr().out
    (line,) = [line for line in printed.splitlines() if "random" in line]
    assert "record" in line
    assert expected_auroc("random", "record") == 0.5
    assert "0.500" in line, "theory"


def test_all_rows_are_run_unless_some_are_named() -> None:
    assert _parser().parse_args([]).rows == list(ROWS)
    with pytest.raises(SystemExit):
        _parser().parse_args(["--rows", "no-such-row"])
