"""The command that writes a phantom cohort."""

import argparse
from pathlib import Path

import pytest

from training.cohort import CohortError, load_cohort
from training.commands import phantoms


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    phantoms.add_arguments(parser)
    return parser


def test_the_command_writes_a_cohort_and_names_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = ["--train", "1", "--validation", "0", "--calibration", "0", "--test", "1"]
    args = _parser().parse_args(["--task", "ad", *counts, "--out", str(tmp_path / "new"), "--seed", "4"])
    assert phantoms.run(args) == 0
    assert [case.split for case in load_cohort(tmp_path / "new").cases] == ["train", "test"]
    assert "cohort.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--train", "-1"], ["--workers", "0"], ["--dicom-share", "1.5"], ["--task", "other"]]
)
def test_impossible_options_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["--task", "ad", "--out", "x", *wrong])
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize("written", ["cohort.csv", "cohort.json"])
def test_a_hospitals_cohort_is_not_written_over(tmp_path: Path, written: str) -> None:
    """The tutorial's practice cohort has the names of the reader's own."""
    (tmp_path / written).write_text('{"source": "a ward"}', encoding="utf-8")
    counts = ["--train", "1", "--validation", "0", "--calibration", "0", "--test", "0"]
    args = _parser().parse_args(["--task", "ad", *counts, "--out", str(tmp_path)])
    with pytest.raises(CohortError, match="does not say it is of phantoms"):
        phantoms.run(args)
    assert (tmp_path / written).read_text(encoding="utf-8") == '{"source": "a ward"}'
