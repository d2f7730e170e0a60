"""training.__main__: a step loads what it needs, and every step can be asked what it takes."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import get_type_hints

import pytest

from app.cpus import usable_cpus
from tests.support.modules import loaded_by
from tests.training.ablation.support import write_cohort
from training.__main__ import STEPS, build_parser, main

PRACTICE = str(Path(__file__).parents[2] / "training" / "configs" / "practice.toml")
COMMANDS = Path(__file__).parents[2] / "training" / "commands"
TRAINERS = {"torch", "lightning", "monai"}


def test_every_command_is_a_step() -> None:
    assert set(STEPS) == {path.stem for path in COMMANDS.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_has_an_example_and_options(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([step, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"python -m training {step}" in shown
    assert "options:" in shown


@pytest.mark.parametrize(
    "words",
    [
        "train cohort --config c --out run --repeat 0",
        "train cohort --config c --out run --seed -1",
        f"train cohort --config c --out run --seed {2**32}",
        "ablation cohort --config c --out table --seeds x",
        "ablation cohort --config c --out table --sizes 0,5",
        "export run --version 0",
        "export run --version 202611301200",
        "worlds --seeds 0",
        "worlds --epochs 0",
    ],
)
def test_a_number_that_cannot_be_meant_is_refused_before_anything_is_done(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, option, value = words.split()
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(words.split())
    assert ended.value.code == 2
    assert f"argument {option}" in (error := capsys.readouterr().err)
    assert repr(value) in error


def test_what_whoever_gives_a_command_can_mend_is_not_called_internal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By that word others look for a fault of the program."""
    cohort = write_cohort(tmp_path / "cohort", image=False)
    config = Path(PRACTICE).with_name("ad.toml")
    for command in (
        ["report", str(tmp_path)],
        ["evaluate", str(tmp_path), "--rival", "image"],
        ["train", str(cohort), "--config", str(config), "--out", str(tmp_path / "run")],
    ):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith("cohort-invalid: ")


def test_a_full_disk_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")  # full(4): every write fails with ENOSPC
    cohort = write_cohort(tmp_path / "cohort", image=False)
    assert main(["check", str(cohort), "--workers", "1", "--json", str(full)]) == 2
    assert "disk-unavailable: No space left on device" in capsys.readouterr().err


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("step", "words", "number", "status"),
    [("train", "goes on from there", signal.SIGTERM, 143), ("check", "begins anew", signal.SIGINT, 130)],
)
def test_a_step_that_is_stopped_says_so_without_a_stack_trace(
    step: str, words: str, number: int, status: int, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    os.mkfifo(config)  # read without end, as from a disk that hangs
    given = [step, "cohort", "--config", str(config), *(["--out", "run"] if step == "train" else [])]
    with subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-m", "training", *given],
        cwd=COMMANDS.parents[1],
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        with config.open("w"):  # entered when the step opens it
            command.send_signal(number)
        # Closed, as a read that was begun after the signal came, or whose thread is not the one that got it, is not cut off by it.
        told = command.communicate()[1]
    assert told.startswith("interrupted: ")
    assert words in told
    assert told.count("\n") == 1
    assert command.returncode == status


def test_help_loads_no_library() -> None:
    """Nor does what a process that a step starts takes from here."""
    with_all = "from training.__main__ import STEPS, build_parser; build_parser().format_help()"
    assert loaded_by(with_all) == {"app", "training"}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_names_a_function_that_takes_its_options(step: str) -> None:
    named = import_module(f"training.commands.{step}").run.args[0]
    assert get_type_hints(resolve_name(named)) == {"options": argparse.Namespace, "return": int}


def test_what_trains_no_network_loads_no_torch_and_what_builds_none_no_lightning_and_no_monai() -> None:
    """They take two, three and two seconds."""
    assert loaded_by("import training.steps.check, training.steps.phantoms").isdisjoint(TRAINERS)
    assert loaded_by("import training.steps.train, training.steps.recalibrate") & TRAINERS == {"torch"}


def test_a_word_that_is_no_step_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["tarin"])
    assert ended.value.code == 2
    assert "phantoms" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["file", "file/below"])
@pytest.mark.parametrize("step", ["train", "phantoms"])
def test_a_folder_that_cannot_be_one_is_told_in_words(
    step: str, out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    given = {
        "train": [
            str(write_cohort(tmp_path / "cohort", image=False)),
            "--config",
            PRACTICE,
            "--row",
            "prevalence",
        ]
    }
    words = [step, *given.get(step, ["--task", "gos"]), "--out", str(tmp_path / out)]
    assert main(words) == 2
    assert "path-invalid: expected a folder where there is a file" in capsys.readouterr().err


def test_what_a_check_has_found_is_printed_also_where_the_file_for_it_cannot_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = write_cohort(tmp_path / "cohort", image=False)
    assert main(["check", str(cohort), "--workers", "1", "--json", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert "path-invalid" in shown.err
    assert "before training" in shown.out


@pytest.fixture
def one_cpu() -> Iterator[None]:
    """This process may use one, of however many there are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, [min(before)])
    usable_cpus.cache_clear()
    yield
    os.sched_setaffinity(0, before)
    usable_cpus.cache_clear()


@pytest.mark.usefixtures("one_cpu")
def test_no_more_processes_are_meant_than_may_run_at_once() -> None:
    """On a cluster a job has some cores of many: a process for each of the others would only take memory."""
    assert build_parser().parse_args(["check", "c"]).workers == 1
    assert build_parser().parse_args(["ablation", "c", "--config", "c", "--out", "o"]).workers == 1


def test_a_folder_is_named_as_it_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort, out = write_cohort(tmp_path / "cohort", image=False), tmp_path / "run [final]"
    assert main(["train", str(cohort), "--config", PRACTICE, "--row", "prevalence", "--out", str(out)]) == 0
    assert "run [final]" in capsys.readouterr().out


@pytest.mark.parametrize(("step", "option"), [("train", "--repeat"), ("ablation", "--repeats")])
def test_a_division_into_folds_is_not_asked_for_without_folds(
    step: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same patients would stand in the same splits, under another name."""
    cohort, out = write_cohort(tmp_path / "cohort", image=False), tmp_path / "out"
    assert main([step, str(cohort), "--config", PRACTICE, "--out", str(out), option, "2"]) == 2
    assert f"cohort-invalid: {option} " in capsys.readouterr().err
    assert not out.exists()
