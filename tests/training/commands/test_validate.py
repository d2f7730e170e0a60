"""The command that judges a package on another cohort."""

from pathlib import Path

import pytest

from tests.training.test_validate import CohortFolder
from training.__main__ import main
from training.evaluation.document import EVALUATION_FILE, load_evaluation
from training.runs import RUN_FILE
from training.validate import ANSWERS_FILE

pytestmark = pytest.mark.torch


def test_it_writes_what_the_report_is_made_of(
    tiny_store: Path,
    head_ct: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    cohort = CohortFolder(tmp_path / "cohort", head_ct).written()
    out = tmp_path / "there"
    assert main(["validate", str(tiny_store / "gos" / "1"), str(cohort), "--out", str(out)]) == 0
    assert "stated by the package" in capsys.readouterr().out
    assert load_evaluation(out).row == "gos@1"
    assert (out / ANSWERS_FILE).is_file()
    assert main(["report", str(out)]) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "External validation" in page
    assert "this run noted no versions" not in page


def test_the_evaluation_of_a_run_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / RUN_FILE).write_text("{}")
    (tmp_path / EVALUATION_FILE).write_text("kept")
    assert main(["validate", "package", "cohort", "--out", str(tmp_path)]) == 2
    assert "found that of a run, a package or a cohort" in capsys.readouterr().err
    assert (tmp_path / EVALUATION_FILE).read_text() == "kept"
