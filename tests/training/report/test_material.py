"""What a report is gathered from."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.errors import NeuroFuseError
from tests.training.report.simulated import evaluation, picture, simulated_study
from training.ablation.document import save_ablation
from training.evaluation.document import save_evaluation
from training.features import unitless
from training.report.history import read_history
from training.report.material import gather


def _run(folder: Path, source: str = "Hospital A") -> Path:
    judged = evaluation(source)
    save_evaluation(judged, folder)
    for index, example in enumerate(judged.examples):
        (folder / example.picture).write_bytes(picture(index))
    return folder


def test_a_run_that_was_not_evaluated_is_sent_to_evaluate(tmp_path: Path) -> None:
    with pytest.raises(NeuroFuseError, match="python -m training evaluate"):
        gather(tmp_path)


def test_the_files_of_a_run_are_read_and_absent_ones_are_none(tmp_path: Path) -> None:
    run = _run(tmp_path)
    line = {"epoch": 1, "loss": 1.5, "nll": 1.2, "seconds": 3.0, "learning_rate": 0.1}
    (run / "history.jsonl").write_text(json.dumps(line) + "\n\n", encoding="utf-8")
    (run / "environment.json").write_text('{"python": "3.11"}', encoding="utf-8")
    material = gather(run)
    assert [each.nll for each in material.history] == [1.2]
    assert material.environment == {"python": "3.11"}
    assert material.pictures["example-best.png"] == picture(0)
    assert (material.config, material.parameters, material.fitted, material.study) == (None,) * 4
    assert not material.phantoms


def test_the_source_is_asked_of_the_cohort_where_the_evaluation_is_older(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    _run(run, source="")
    description = {
        "task": "gos",
        "modality": "CT",
        "source": "phantoms",
        "outcome": "outcome",
        "positive": "favourable",
        "seed": 1,
        "features": [unitless("severity", 0, 1).model_dump(mode="json")],
        "minimum_features": 0,
    }
    (tmp_path / "cohort.json").write_text(
        json.dumps(description), encoding="utf-8-sig"
    )  # as Windows saves it
    notes = {"cohort": str(tmp_path), "cache": str(tmp_path)}
    (run / "run.json").write_text(json.dumps(notes), encoding="utf-8")
    assert gather(run).phantoms
    assert [each.name for each in gather(run).features] == ["severity"]
    moved = tmp_path / "archive"
    moved.mkdir()
    (tmp_path / "cohort.json").rename(moved / "cohort.json")
    assert not gather(run).features
    assert [each.name for each in gather(run, cohort=moved).features] == ["severity"]
    assert gather(run, cohort=moved).phantoms
    with pytest.raises(NeuroFuseError, match="no such folder"):
        gather(run, cohort=tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("changed", "refused"), [({}, False), ({"event": "death"}, True), ({"source": "B"}, True)]
)
def test_the_ablation_of_another_cohort_is_refused(
    changed: dict[str, str], refused: bool, tmp_path: Path
) -> None:
    run, judged = _run(tmp_path), evaluation("Hospital A")
    same = {"source": judged.source, "event": judged.event}
    save_ablation(simulated_study().ablation.model_copy(update=same | changed), tmp_path)
    with pytest.raises(NeuroFuseError, match="of this cohort") if refused else nullcontext():
        assert gather(run, tmp_path).study


def test_a_picture_outside_the_run_is_not_read(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    judged = evaluation()
    example = judged.examples[0].model_copy(update={"picture": "../secret.png"})
    save_evaluation(judged.model_copy(update={"examples": (example,)}), run)
    with pytest.raises(NeuroFuseError, match="in the run's folder"):
        gather(run)


def test_a_row_without_epochs_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path) == ()
