"""training.recalibrate: the same network, with probabilities and sets of another cohort, judged on patients that nothing was fitted to."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from app.errors import PackageExistsError
from app.inference.calibration import OodResult
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Outputs, Predictor
from app.inference.self_test import self_test
from app.model_package.package import CARD, MODEL, Package, open_package, seal
from app.model_package.store import ModelStore
from app.model_package.training_summary import load_training_summary
from tests.training.test_validate import CohortFolder
from training.__main__ import main
from training.calibrate import Scaling, fit_scaling
from training.cohort import Case, Cohort, CohortDescription, CohortError, Split
from training.evaluation.answers import scaled_probabilities
from training.export import INTENDED_USE
from training.kept_answers import KEPT_FILE
from training.packaging.onnx_graph import halve
from training.recalibrate import (
    INTERCEPT_SD,
    LOG_SLOPE_SD,
    Recalibrated,
    cut_logits,
    dealt,
    recalibrate,
)
from training.runs import RUN_FILE
from training.splits.saved import SPLITS_FILE, load_splits
from training.validate import Asked

pytestmark = pytest.mark.torch
STORE = Path(__file__).parents[2] / "model_store"
TRUTH = Scaling(0.6, 0.8)
"""How another hospital's patients fare: events are commoner than the packages tell, and their answers too extreme."""


def shipped(task: str) -> Package:
    """The latest package of the repository for a task."""
    return ModelStore(STORE).load(task)


def patients(package: Package, n: int, seed: int = 0, truth: Scaling = TRUTH) -> list[Asked]:
    """Answers of a package to patients whose outcomes are drawn from `truth` of its logits."""
    rng = np.random.default_rng(seed)
    labels = [each.label for each in package.manifest.outputs.classes]
    logits = rng.normal(0, 1.5, (n, len(labels) - 1)).astype(np.float32)
    told = scaled_probabilities(logits, Scaling(1.0, 0.0))
    drawn = rng.random(n)[:, None] > scaled_probabilities(logits, truth).cumsum(axis=1)[:, :-1]
    asked = []
    for number, row in enumerate(told):
        outputs = Outputs(
            label=labels[int(row.argmax())],
            probabilities=dict(zip(labels, row.tolist(), strict=True)),
            favourable=None,
            prediction_set=(),
            coverage=0.9,
            out_of_distribution=OodResult(0.5, 0.99, flagged=False),
            abstained=False,
            image_share=0.5,
            heatmap=np.empty((0, 0, 0), np.float32),
            embedding=rng.normal(size=package.manifest.outputs.embedding_size).astype(np.float32),
            queue_ms=0.0,
            inference_ms=0.0,
        )
        case = Case(f"p{number}", (Path("image.nii"),), (), None, {}, int(drawn[number].sum()), None)
        asked.append(Asked(case, outputs))
    return asked


def recalibrated(
    package: Package,
    asked: Sequence[Asked],
    store: Path,
    source: str = "another hospital",
    version: int = 9,
) -> Recalibrated:
    manifest = package.manifest
    told = CohortDescription(
        task=manifest.task, modality=manifest.image.modality, source=source, outcome="outcome", positive="the event",
        seed=None, features=manifest.ehr.features, minimum_features=0,
    )  # fmt: skip
    cohort = Cohort(store, told, tuple(each.case for each in asked))
    return recalibrate(package, dealt(cohort, asked, seed=1), asked, ModelStore(store), version)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=1, max_size=4))
def test_logits_are_found_again_in_their_probabilities(logits: list[float]) -> None:
    given_logits = np.array([logits], np.float32)
    told = scaled_probabilities(given_logits, Scaling(1.0, 0.0))
    again = scaled_probabilities(cut_logits(told).astype(np.float32), Scaling(1.0, 0.0))
    np.testing.assert_allclose(again, told, atol=1e-5)


def test_few_patients_without_a_mistake_do_not_make_another_hospital_certain() -> None:
    """Of 22, a third of the fewest that are taken: what was told as 9 in 10 must not be told as 9,999 in 10,000."""
    logits = torch.linspace(-3, 3, 22)[:, None]
    fitted = fit_scaling(
        logits, (logits[:, 0] > 0).long(), intercept_sd=INTERCEPT_SD, log_slope_sd=LOG_SLOPE_SD
    )
    assert 1.5 < fitted.slope < 2.5


def test_a_package_in_half_precision_is_recalibrated_and_once_more(tmp_path: Path) -> None:
    """Against a fit by another program, and the first graph's answers changed by arithmetic."""
    old = shipped("ad")
    folder = Path(shutil.copytree(old.path, tmp_path / "half"))
    halve(folder / MODEL)
    half = seal(folder, old.manifest.model_copy(update={"sha256": {}}))
    packages, expected = [half], Scaling(1.0, 0.0)
    for version, truth in ((9, TRUTH), (10, Scaling(1.6, -0.8))):
        asked = patients(packages[-1], 300, seed=version, truth=truth)
        packages.append(recalibrated(packages[-1], asked, tmp_path / "store", version=version).package)
        relative = _fitted_by_scipy(asked, tmp_path)
        expected = Scaling(
            expected.slope * relative.slope, expected.intercept * relative.slope + relative.intercept
        )
    first, *_, last = (each.manifest.calibration.parameters for each in packages)
    assert last["slope"] == pytest.approx(first["slope"] * expected.slope, rel=1e-3)
    assert last["intercept"] == pytest.approx(
        first["intercept"] * expected.slope + expected.intercept, abs=1e-3
    )
    rng, features = np.random.default_rng(1), len(old.manifest.ehr.features)
    inputs = (
        rng.normal(30, 40, (2, 1, *old.manifest.image.shape)).astype(np.float32),
        np.zeros((2, features), np.float32),
        np.ones((2, features), np.float32),
    )
    before, after = (OnnxSession(each).run(*inputs).probabilities for each in (half, packages[-1]))
    logits = cut_logits(before.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(after, scaled_probabilities(logits, expected), atol=2e-3)
    assert "version 2 on 195 other cases" in packages[-1].manifest.training_data
    assert "version 9 on 195 other cases" in packages[-1].manifest.training_data


def _fitted_by_scipy(asked: Sequence[Asked], root: Path) -> Scaling:
    """Slope and intercept of the patients who fit, by their likelihood and priors alone."""
    told = CohortDescription(
        task="ad", modality="MR", source="s", outcome="o", positive="p", seed=None,
        features=shipped("ad").manifest.ehr.features, minimum_features=0,
    )  # fmt: skip
    fits = {case.patient_id for case in dealt(Cohort(root, told, ()), asked, seed=1).part("validation")}
    some = [(each.outputs, each.case.label) for each in asked if each.case.patient_id in fits]
    odds = np.array([one.probabilities["ad"] / one.probabilities["cn"] for one, _ in some if one])
    label = np.array([happened for _, happened in some])

    def loss(at: np.ndarray) -> float:
        logit = np.exp(at[0]) * np.log(odds) + at[1]
        prior = (at[0] / LOG_SLOPE_SD) ** 2 / 2 + (at[1] / INTERCEPT_SD) ** 2 / 2
        return float((np.logaddexp(0, logit) - label * logit).sum() + prior)

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}).x
    return Scaling(float(np.exp(found[0])), float(found[1]))


@pytest.fixture(scope="module", params=["gos", "ad"])
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Package, Recalibrated]:
    old = shipped(str(request.param))
    return old, recalibrated(old, patients(old, 700), tmp_path_factory.mktemp("store"))


def test_probabilities_hold_for_the_patients_they_were_brought_to(
    found: tuple[Package, Recalibrated],
) -> None:
    _, new = found
    before, after = ({m.name: m for m in each.metrics} for each in (new.before, new.after))
    large, slope = after["calibration_in_the_large"], after["calibration_slope"]
    assert before["calibration_in_the_large"].low > 0
    assert large.low <= 0 <= large.high
    assert slope.low <= 1 <= slope.high
    assert after["nll"].value < before["nll"].value
    assert after["set_coverage"].high >= 0.9
    fitted = new.package.manifest.calibration.parameters
    earlier = found[0].manifest.calibration.parameters
    assert fitted["slope"] == pytest.approx(earlier["slope"] * TRUTH.slope, rel=0.2)
    assert fitted["intercept"] == pytest.approx(
        earlier["intercept"] * TRUTH.slope + TRUTH.intercept, abs=0.15
    )


def test_the_new_version_is_whole_and_says_what_it_is(found: tuple[Package, Recalibrated]) -> None:
    old, new = found
    package = open_package(new.package.path)
    self_test(Predictor(package, OnnxSession(package)))
    manifest = package.manifest
    assert (manifest.version, manifest.metrics) == (9, new.after.metrics)
    assert manifest.intended_use == old.manifest.intended_use
    assert f"Recalibrated from version {old.manifest.version} on" in manifest.training_data
    assert manifest.training_data.endswith("another hospital")
    own, _, earlier = (
        (package.path / CARD).read_text(encoding="utf-8").partition("## The version it comes from")
    )
    assert "## Recalibration" in own
    assert "not for clinical use" in own
    assert f"({manifest.calibration.n} " not in own, "each class has its own cases"
    assert all(f"({each.n} cases)" in own for each in (manifest.calibration.class_thresholds or {}).values())
    assert "\n# " not in own + earlier
    assert "### " in earlier


def test_what_is_unlike_training_stays_what_it_was(found: tuple[Package, Recalibrated]) -> None:
    """The network has seen no more than before; patients it never saw the like of must not become usual by being many."""
    old, new = found
    name = old.manifest.out_of_distribution.file
    assert (new.package.path / name).read_bytes() == (old.path / name).read_bytes()
    assert new.before.distance == new.after.distance


def test_the_service_holds_its_answers_against_those_of_the_new_patients(
    found: tuple[Package, Recalibrated],
) -> None:
    old, new = (load_training_summary(each) for each in (found[0], found[1].package))
    assert old is not None
    assert new is not None

    def told(kind: str, summary: object) -> list[object]:
        return [each for each in getattr(summary, "distributions") if each.kind == kind]  # noqa: B009 - of either

    assert told("record", new) == told("record", old)
    assert told("score", new) != told("score", old)
    assert {each.n for each in new.shares if each.kind == "answer"} == {
        found[1].package.manifest.calibration.n
    }


def test_neither_who_judges_nor_who_got_no_answer_has_a_part_in_what_is_fitted(tmp_path: Path) -> None:
    old = shipped("ad")
    order: tuple[Split, ...] = ("validation", "calibration", "test")
    asked = [
        replace(each, case=replace(each.case, split=order[number % 3]))
        for number, each in enumerate(patients(old, 300))
    ]
    others = patients(old, 300, seed=7)  # in the places of those who judge
    other = [
        replace(new, case=replace(new.case, split="test")) if each.case.split == "test" else each
        for each, new in zip(asked, others, strict=True)
    ]
    other.insert(5, Asked(replace(asked[0].case, patient_id="refused"), None, "not-a-head"))
    first, second = recalibrated(old, asked, tmp_path / "a"), recalibrated(old, other, tmp_path / "b")
    assert first.package.manifest.calibration == second.package.manifest.calibration
    assert load_training_summary(first.package) == load_training_summary(second.package)
    assert first.after.counts == second.after.counts
    assert first.after.metrics != second.after.metrics


@pytest.mark.parametrize("few", ["validation", "calibration", "test"])
def test_too_few_patients_of_a_split_fit_and_judge_nothing(few: Split, tmp_path: Path) -> None:
    old = shipped("ad")
    others = [each for each in ("validation", "calibration", "test") if each != few]
    named = [
        replace(each, case=replace(each.case, split=cast(Split, few if number < 15 else others[number % 2])))
        for number, each in enumerate(patients(old, 120))
    ]
    with pytest.raises(CohortError, match=f"as many without in the split {few}, found"):
        recalibrated(old, named, tmp_path)
    assert not (tmp_path / "ad").exists()


def test_a_row_of_training_is_neither_fitted_nor_judged(tmp_path: Path) -> None:
    old = shipped("ad")
    first, *others = patients(old, 100)
    with pytest.raises(CohortError, match="expected no row of the split train"):
        recalibrated(old, [replace(first, case=replace(first.case, split="train")), *others], tmp_path)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (Scaling(0.0, 0.5), "expected patients who are told apart, found an AUROC of"),
        (Scaling(1.0, 0.0), "a negative log-likelihood of"),
    ],
)
def test_a_version_that_would_be_no_better_is_not_published(
    truth: Scaling, message: str, tmp_path: Path
) -> None:
    """One whose answers say nothing of these patients, and one whose probabilities hold as they are."""
    old = shipped("ad")
    with pytest.raises(CohortError, match=message):
        recalibrated(old, patients(old, 300, seed=2, truth=truth), tmp_path)
    assert not (tmp_path / "ad").exists()


def test_a_package_of_patients_takes_on_no_numbers_of_phantoms(tmp_path: Path) -> None:
    old = shipped("ad")
    real = Path(shutil.copytree(old.path, tmp_path / "ad"))
    seal(real, old.manifest.model_copy(update={"intended_use": INTENDED_USE[False], "sha256": {}}))
    with pytest.raises(CohortError, match="expected patients for a package of patients, found phantoms"):
        recalibrated(open_package(real), patients(old, 300), tmp_path / "store", source="phantoms")


def test_the_command_asks_fits_and_publishes(
    tmp_path: Path, head_ct: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    cells = []
    for number in range(
        72
    ):  # of every split the same: half with a low score, who die, and of the others all but one recover
        split, place = ("validation", "calibration", "test")[number % 3], number // 3
        gcs, grade = ("4", "1") if place % 2 else ("15", "1" if place == 0 else "5")
        cells.append((str(60 + place), gcs, split, grade))
    cohort = CohortFolder(
        tmp_path / "cohort", head_ct, columns=("age", "gcs", "split"), patients=tuple(cells)
    )
    package, store = str(shipped("gos").path), tmp_path / "store"
    out = tmp_path / "out"
    command = ["recalibrate", package, str(cohort.written()), "--store", str(store), "--version", "7"]
    command += ["--out", str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "recalibrated" in printed
    assert "Negative log-likelihood, recalibrated less before:" in printed
    assert ModelStore(store).load("gos", 7).manifest.calibration.n == 24
    stood = load_splits(out / "gos-7" / SPLITS_FILE)
    assert stood.splits["test"] == tuple(f"p{number}" for number in range(2, 72, 3))
    assert "gos@2" in stood.how
    assert main(command) == 2
    assert PackageExistsError.code in capsys.readouterr().err
    # Where nothing is published, who judged is kept as well, and nobody is asked twice.
    kept = (out / KEPT_FILE).read_text()
    assert len(kept.split("\n")) == 73
    _with_outcomes(cohort.root, [("1", "5")[number // 6 % 2] for number in range(72)])
    assert main([*command[:-3], "8", *command[-2:]]) == 2
    assert "told apart" in capsys.readouterr().err
    assert load_splits(out / "gos-8" / SPLITS_FILE) == stood
    assert (out / KEPT_FILE).read_text() == kept


def test_neither_the_old_number_nor_the_folder_of_a_run_is_taken(
    tmp_path: Path, head_ct: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two packages of one name and number could not be told apart, nor compared; and a run has a splits.json of its own."""
    cohort = str(CohortFolder(tmp_path / "cohort", head_ct).written())
    command = ["recalibrate", str(shipped("gos").path), cohort, "--store", str(tmp_path / "store")]
    assert main([*command, "--version", "2", "--out", str(tmp_path / "out")]) == 2
    assert "another --version" in capsys.readouterr().err
    (tmp_path / "runs" / "gos-8").mkdir(parents=True)
    (tmp_path / "runs" / "gos-8" / RUN_FILE).touch()
    assert main([*command, "--version", "8", "--out", str(tmp_path / "runs")]) == 2
    assert "a folder of its own" in capsys.readouterr().err


def _with_outcomes(root: Path, outcomes: Sequence[str]) -> None:
    header, *lines = (root / "cohort.csv").read_text().splitlines()
    changed = [f"{line.rpartition(',')[0]},{outcome}" for line, outcome in zip(lines, outcomes, strict=True)]
    (root / "cohort.csv").write_text("\n".join([header, *changed]))
