"""training.evaluate and its command: a folder with a prediction table is enough, neural or not."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.ehr.reference import GOS_SCHEMA
from tests.training.evaluation.support import cohort_of, ordinal_predictions
from tests.training.evaluation.test_judge import with_train
from training.__main__ import main
from training.checkpoint import save_checkpoint
from training.cohort import Cohort, load_cohort
from training.config import load_config
from training.evaluation.document import load_evaluation
from training.evaluation.fitted import load_calibration
from training.evaluation.judge import with_splits
from training.networks.model import FusionNet
from training.predictions import save_predictions
from training.runs import RECORDS_NOTE, records_digest, write_notes
from training.splits.saved import save_splits

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def written(cohort: Cohort, folder: Path) -> Path:
    """The cohort as files, without images: statistics do not look at them."""
    folder.mkdir()
    names = [feature.name for feature in cohort.description.features]
    (folder / "cohort.json").write_text(cohort.description.model_dump_json())
    lines = [",".join(["patient_id", "image", "outcome", *names])]
    for case in cohort.cases:
        image = f"{case.patient_id}.nii"
        (folder / image).touch()
        outcome = str(case.label + 1) if cohort.description.task == "gos" else ("cn", "ad")[case.label]
        lines.append(
            ",".join([case.patient_id, image, outcome, *(str(case.record.get(name, "")) for name in names)])
        )
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    return folder


both_tasks = pytest.mark.parametrize("runs", [5, 2], ids=["gos", "ad"], indirect=True)


@pytest.fixture
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A run and another of the same patients, of five grades where a test does not ask for two classes."""
    classes = int(getattr(request, "param", 5))
    model, other = (
        with_train(ordinal_predictions(240, 1, noise=noise, classes=classes)) for noise in (0.3, 2.0)
    )
    cohort = written(cohort_of(model), tmp_path / "cohort")
    for name, predictions in (("model", model), ("other", other)):
        write_notes(tmp_path / name, cohort, tmp_path / "cache")
        save_predictions(predictions, tmp_path / name)
    save_splits(with_splits(cohort_of(model), model), "test on site north", 1, tmp_path / "model")
    return tmp_path


@both_tasks
def test_a_run_with_predictions_alone_is_evaluated_against_a_rival(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(runs / "model"), "--rival", f"other={runs / 'other'}"]) == 0
    found = load_evaluation(runs / "model")
    assert [each.against for each in found.comparisons] == ["other"]
    assert found.epochs == {}
    assert found.split == "test on site north"
    fit = load_calibration(runs / "model")
    assert len(fit.thresholds) == len(fit.cases) == len(found.classes)
    assert (runs / "model" / "embedding.npz").is_file()
    printed = capsys.readouterr().out
    assert "auroc_gain_over_other" in printed
    assert "Prediction sets" in printed


def test_a_training_that_was_cut_off_is_not_taken_for_one_that_has_ended(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Evaluated, it would count as finished, and the next `train` keep the half-trained network."""
    run = runs / "model"
    write_notes(run, runs / "cohort", runs / "cache", {"digest": "of this very job"})
    (run / "predictions.npz").unlink()
    config = load_config(CONFIGS / "practice.toml")
    net = FusionNet(config.model, GOS_SCHEMA.features)
    save_checkpoint(run / "checkpoint.pt", net, config, GOS_SCHEMA.features, epoch=1)
    for command in (["evaluate", str(run)], ["evaluate", str(runs / "other"), "--rival", f"cut={run}"]):
        assert main(command) == 2
        assert "give its train command again" in capsys.readouterr().err
    assert not (run / "predictions.npz").exists()


def test_a_rival_that_is_no_pair_or_a_folder_without_a_run_is_told_apart(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(runs / "model"), "--rival", "other"]) == 2
    assert "NAME=RUN" in capsys.readouterr().err
    assert main(["evaluate", str(runs)]) == 2
    assert "predictions.npz" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model", "all", "none"])
def test_a_rival_cannot_stand_in_the_place_of_the_model_or_of_treating_all(
    name: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(runs / "model"), "--rival", f"{name}={runs / 'other'}"]) == 2
    assert f"the name of a rival is taken: {name}" in capsys.readouterr().err


def test_a_run_that_does_not_name_its_cohort_asks_for_it_and_gives_the_same_document(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(runs / "model")]) == 0
    first = (runs / "model" / "evaluation.json").read_bytes()
    (runs / "model" / "run.json").unlink()
    assert main(["evaluate", str(runs / "model")]) == 2
    assert "--cohort" in capsys.readouterr().err
    assert main(["evaluate", str(runs / "model"), "--cohort", str(runs / "cohort")]) == 0
    assert (runs / "model" / "evaluation.json").read_bytes() == first
    assert json.loads(first)["row"] == "model"


@both_tasks
def test_outcomes_that_were_corrected_since_training_are_not_passed_over(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers would be those of the old outcomes, under the name of the new ones."""
    table = runs / "cohort" / "cohort.csv"
    header, first, *others = table.read_text().splitlines()
    cells = first.split(",")
    cells[2] = {"cn": "ad", "ad": "cn", "1": "5"}.get(cells[2], "1")
    table.write_text("\n".join([header, ",".join(cells), *others]) + "\n")
    assert main(["evaluate", str(runs / "model")]) == 2
    assert "found others of 1 of 240 patients" in capsys.readouterr().err
    assert not (runs / "model" / "evaluation.json").exists()


def test_a_record_that_was_corrected_since_training_is_not_passed_over(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answers would be those to the old record, the subgroups those of the new one."""
    then = records_digest(reversed(load_cohort(runs / "cohort").cases))
    assert then == records_digest(load_cohort(runs / "cohort").cases)
    write_notes(runs / "model", runs / "cohort", runs / "cache", {RECORDS_NOTE: then})
    table = runs / "cohort" / "cohort.csv"
    header, first, *others = table.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index("age")] = "50.5"
    table.write_text("\n".join([header, ",".join(cells), *others]) + "\n")
    assert main(["evaluate", str(runs / "model")]) == 2
    assert "expected the records that the run was trained with" in capsys.readouterr().err


def test_patients_who_were_taken_out_of_the_table_are_no_corrected_records(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where one withdraws: who looks for a changed cell would find none."""
    cohort = load_cohort(runs / "cohort")
    for name in ("model", "other"):
        write_notes(runs / name, cohort.root, runs / "cache", {RECORDS_NOTE: records_digest(cohort.cases)})
    table = cohort.root / "cohort.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    assert main(["evaluate", str(runs / "model"), "--rival", f"other={runs / 'other'}"]) == 2
    assert (
        "model: expected the records that the run was trained with, found 1 of its 240 patients no longer in the cohort"
        in capsys.readouterr().err
    )


def test_a_rival_that_answered_to_other_records_is_no_rival(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model was trained anew after a correction, the rival was not: what it lacks would pass for the model's gain."""
    then = records_digest(load_cohort(runs / "cohort").cases)
    write_notes(runs / "other", runs / "cohort", runs / "cache", {RECORDS_NOTE: then})
    table = runs / "cohort" / "cohort.csv"
    header, first, *others = table.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index("age")] = "50.5"
    table.write_text("\n".join([header, ",".join(cells), *others]) + "\n")
    assert main(["evaluate", str(runs / "model"), "--rival", f"other={runs / 'other'}"]) == 2
    assert "other: expected the records that the run was trained with" in capsys.readouterr().err
    assert main(["evaluate", str(runs / "model")]) == 0


def test_a_rival_may_have_read_another_record_of_the_same_patients(runs: Path) -> None:
    """Such as one without laboratory values, to see what these add: its own cohort folder says what it read."""
    less = shutil.copytree(runs / "cohort", runs / "less")
    description = json.loads((less / "cohort.json").read_text())
    description["features"].pop()
    (less / "cohort.json").write_text(json.dumps(description))
    read = records_digest(load_cohort(less).cases)
    assert read != records_digest(load_cohort(runs / "cohort").cases)
    write_notes(runs / "other", less, runs / "cache", {RECORDS_NOTE: read})
    assert main(["evaluate", str(runs / "model"), "--rival", f"other={runs / 'other'}"]) == 0


def test_a_second_run_must_be_a_network_that_differs_in_its_seed_alone(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(runs / "model"), "--second", str(runs / "other")]
    assert main(command) == 2
    assert "checkpoint.pt" in capsys.readouterr().err
    config = load_config(CONFIGS / "practice.toml")
    for name, seed, width in (("model", 1, 16), ("other", 2, 8)):
        model = replace(config.model, gmu=replace(config.model.gmu, width=width))
        changed = replace(config, seed=seed, model=model)
        save_checkpoint(
            runs / name / "checkpoint.pt",
            FusionNet(model, GOS_SCHEMA.features),
            changed,
            GOS_SCHEMA.features,
            epoch=1,
        )
    assert main(command) == 2
    assert "differs in its seed alone" in capsys.readouterr().err
    assert main([*command, "--image-cases", "0"]) == 2, "it would be passed over"
    assert "leave --second out" in capsys.readouterr().err


def test_an_evaluation_that_fails_leaves_scaling_and_numbers_of_the_one_before(runs: Path) -> None:
    """Exported together, a card would state the numbers of another scaling than the package's; a release may fit it in another way."""
    run = runs / "model"
    assert main(["evaluate", str(run)]) == 0
    earlier = load_calibration(run).model_copy(update={"slope": 1.25})
    (run / "calibration.json").write_text(earlier.model_dump_json())
    before = {name: (run / name).read_bytes() for name in ("embedding.npz", "evaluation.json")}
    config = load_config(CONFIGS / "practice.toml")
    net = FusionNet(config.model, GOS_SCHEMA.features)
    save_checkpoint(run / "checkpoint.pt", net, config, GOS_SCHEMA.features, epoch=1)
    assert main(["evaluate", str(run)]) == 2, "the images are no images"
    assert load_calibration(run) == earlier
    assert {name: (run / name).read_bytes() for name in before} == before
