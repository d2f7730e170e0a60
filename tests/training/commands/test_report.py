"""The command that writes a report."""

import argparse
from pathlib import Path

import pytest

from tests.training.report.simulated import evaluation, picture
from training.commands import report
from training.evaluation.document import save_evaluation


def test_the_command_writes_one_file_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = evaluation()
    save_evaluation(judged, tmp_path)
    for example in judged.examples:
        (tmp_path / example.picture).write_bytes(picture(0))
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    assert report.run(parser.parse_args([str(tmp_path), "--out", str(tmp_path / "new" / "r.html")])) == 0
    assert (tmp_path / "new" / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["r.html"]
    assert "r.html" in capsys.readouterr().out
