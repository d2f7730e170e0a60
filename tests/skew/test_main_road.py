"""The whole road on a handful of phantoms: cohort -> training -> evaluation -> package -> the same answer from raw files.

What is proved here is agreement and completeness, not quality: a network of one epoch knows nothing.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from app.inference.case import analyse
from app.inference.graph_contract import OUTPUTS
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.model_package.store import ModelStore
from app.model_package.training_summary import load_training_summary
from training.__main__ import main
from training.calibrate import Scaling
from training.checkpoint import load_checkpoint
from training.cohort import load_cohort
from training.evaluation.answers import scaled_probabilities
from training.evaluation.document import load_evaluation
from training.networks.serving_graph import ServingGraph
from training.predict import collect
from training.runs import open_run
from training.validate import validate_package

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
COUNTS = ["--train", "4", "--validation", "2", "--calibration", "2", "--test", "2"]
pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module", params=["gos", "ad"])
def road(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A folder after every command of the tutorial has run in it."""
    task, folder = str(request.param), tmp_path_factory.mktemp("road")
    cohort, run, config = str(folder / "cohort"), str(folder / "run"), str(CONFIGS / f"{task}.toml")
    assert main(["phantoms", "--task", task, *COUNTS, "--out", cohort, "--seed", "7"]) == 0
    assert main(["train", cohort, "--config", config, "--out", run, "--epochs", "1"]) == 0
    assert main(["evaluate", run, "--image-cases", "0"]) == 0
    assert main(["export", run, "--store", str(folder / "store"), "--version", "1"]) == 0
    return task, folder


def test_the_package_answers_from_raw_files_as_pytorch_does(road: tuple[str, Path]) -> None:
    task, folder = road
    checkpoint = load_checkpoint(folder / "run" / "checkpoint.pt")
    parts = open_run(folder / "run", checkpoint).parts
    fit = json.loads((folder / "run" / "calibration.json").read_text())
    logits = collect(checkpoint.net, parts["test"]).logits
    expected = scaled_probabilities(logits, Scaling(fit["slope"], fit["intercept"]))

    predictor = Predictor(package := ModelStore(folder / "store").load(task), OnnxSession(package))
    for case, row in zip(load_cohort(folder / "cohort").part("test"), expected, strict=True):
        answer = analyse(case.image, case.record, predictor)
        np.testing.assert_allclose(list(answer.outputs.probabilities.values()), row, atol=1e-4)


def test_a_batch_has_every_output_as_pytorch_gives_it(road: tuple[str, Path]) -> None:
    task, folder = road
    checkpoint = load_checkpoint(folder / "run" / "checkpoint.pt")
    parts = open_run(folder / "run", checkpoint).parts
    fit = json.loads((folder / "run" / "calibration.json").read_text())
    test = parts["test"]
    images = np.stack([test.image(index)[np.newaxis] for index in range(len(test))])
    inputs = images, test.values, test.missing
    graph = ServingGraph(checkpoint.net, fit["slope"], fit["intercept"]).eval()
    with torch.no_grad():
        ours = graph(*map(torch.from_numpy, inputs))
    theirs = OnnxSession(ModelStore(folder / "store").load(task)).run(*inputs).tensors()
    for name, tensor in zip(OUTPUTS, ours, strict=True):
        np.testing.assert_allclose(tensor.numpy(), theirs[name], atol=1e-4, err_msg=name)


def test_the_package_passes_its_own_self_test_and_states_its_numbers(road: tuple[str, Path]) -> None:
    task, folder = road
    package = ModelStore(folder / "store").load(task)
    self_test(Predictor(package, OnnxSession(package)))
    names = {metric.name for metric in package.manifest.metrics}
    assert {"brier", "nll", "set_coverage", "heatmap_peak_in_mask"} <= names
    assert "not for clinical use" in package.manifest.intended_use
    card = (package.path / "MODEL_CARD.md").read_text()
    assert package.manifest.intended_use in card
    assert "this project's reading" in card


@pytest.mark.parametrize("road", ["gos"], indirect=True)
def test_a_package_in_half_precision_answers_nearly_the_same_and_says_so(road: tuple[str, Path]) -> None:
    task, folder = road
    store = ModelStore(folder / "halves")
    assert (
        main(["export", str(folder / "run"), "--store", str(folder / "halves"), "--precision", "float16"])
        == 0
    )
    half, full = store.load(task), ModelStore(folder / "store").load(task)
    assert half.model_path.stat().st_size < 0.7 * full.model_path.stat().st_size
    assert "float16" in (half.path / "MODEL_CARD.md").read_text()
    case = load_cohort(folder / "cohort").part("test")[0]
    answers = [
        analyse(case.image, case.record, Predictor(package, OnnxSession(package))).outputs.probabilities
        for package in (half, full)
    ]
    assert answers[0] == pytest.approx(answers[1], abs=2e-3)
    assert answers[0] != answers[1]


def test_the_package_says_what_its_training_cases_were_like(road: tuple[str, Path]) -> None:
    task, folder = road
    package = ModelStore(folder / "store").load(task)
    summary = load_training_summary(package)
    assert summary is not None
    told = {(each.kind, each.name): each for each in summary.distributions}
    assert {name for kind, name in told if kind == "record"} == {
        each.name for each in package.manifest.ehr.features
    }
    assert told["record", "sex"].n == 4
    low, high = told["record", "age"].limits or (0.0, 0.0)
    assert low < 70 < high, "years that either task's phantoms have"
    assert told["score", "label"].categories == tuple(each.label for each in package.manifest.outputs.classes)
    assert {("spacing", "slice_mm"), ("intensity", "p75"), ("score", "event")} <= set(told)
    assert {each.name for each in summary.shares if each.kind == "answer"} == {"abstained"}


def test_a_package_that_is_asked_about_the_test_patients_finds_what_the_evaluation_found(
    road: tuple[str, Path], tmp_path: Path
) -> None:
    task, folder = road
    (tmp_path / "cohort.json").write_bytes((folder / "cohort" / "cohort.json").read_bytes())
    (tmp_path / "images").symlink_to(folder / "cohort" / "images")
    (tmp_path / "masks").symlink_to(folder / "cohort" / "masks")
    header, *rows = (folder / "cohort" / "cohort.csv").read_text().splitlines()
    tested = [row for row in rows if row.split(",")[header.split(",").index("split")] == "test"]
    (tmp_path / "cohort.csv").write_text("\n".join([header, *tested]) + "\n")
    found, _ = validate_package(folder / "store" / task / "1", tmp_path)
    here, there = (
        {
            each.name: each.value
            for each in one.metrics
            if each.name in {"brier", "nll", "set_coverage", "set_size"}
        }
        for one in (found, load_evaluation(folder / "run"))
    )
    assert len(tested) == 2
    assert len(here) == 4
    assert here == pytest.approx(there, abs=1e-3)


def test_a_version_is_never_overwritten(road: tuple[str, Path]) -> None:
    _, folder = road
    assert main(["export", str(folder / "run"), "--store", str(folder / "store"), "--version", "1"]) == 2


@pytest.mark.parametrize("road", ["gos"], indirect=True)  # the trainer knows of no task
def test_the_same_seed_trains_the_same_network(road: tuple[str, Path], tmp_path: Path) -> None:
    task, folder = road
    config = str(CONFIGS / f"{task}.toml")
    assert (
        main(["train", str(folder / "cohort"), "--config", config, "--out", str(tmp_path), "--epochs", "1"])
        == 0
    )
    again = load_checkpoint(tmp_path / "checkpoint.pt").net.state_dict()
    first = load_checkpoint(folder / "run" / "checkpoint.pt").net.state_dict()
    for name, tensor in first.items():
        assert torch.equal(tensor, again[name]), name
