"""training.__main__: a step loads what it needs, and every step can be asked what it takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.__main__ import STEPS, build_parser

COMMANDS = Path(__file__).parents[2] / "training" / "commands"


def test_every_command_is_a_step() -> None:
    assert set(STEPS) == {path.stem for path in COMMANDS.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_has_an_example_and_options(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser(step).parse_args([step, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"python -m training {step}" in shown
    assert "options:" in shown


def test_the_list_of_steps_is_shown_without_loading_torch() -> None:
    asked = "import sys; from training.__main__ import build_parser; build_parser(None).format_help(); print('torch' in sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "False"


def test_a_word_that_is_no_step_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser(None).parse_args(["tarin"])
    assert ended.value.code == 2
    assert "phantoms" in capsys.readouterr().err
