"""training.evaluation.robustness: undisturbed is undisturbed, and what a network cannot see changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.imaging.read import read_image
from app.imaging.resample import to_model_grid
from app.imaging.volume import Grid, Modality
from app.imaging.write import write_nifti
from app.model_package.manifest import Metric
from tests.training.evaluation.map_support import GRID, prepared, untrained
from tests.training.networks.support import FEATURES, small
from training.calibrate import Scaling
from training.cohort import Case, Cohort, CohortDescription
from training.evaluation.budget import Budget
from training.evaluation.distance import fit_distances
from training.evaluation.document import Disturbance
from training.evaluation.robustness import judge_robustness
from training.prepare import PreparedSet

CASES = 10
PLAIN = Scaling(1.0, 0.0)


def cohort_of(test: PreparedSet, images: list[Path] | None = None) -> Cohort:
    """Patients of a prepared split; without image files their images cannot be read as volumes."""
    description = CohortDescription(
        task="gos",
        modality=Modality.CT,
        source="drawn",
        outcome="gos",
        positive="favourable",
        seed=0,
        features=tuple(FEATURES),
        minimum_features=0,
    )
    cases = tuple(
        Case(
            patient_id=str(number),
            image=() if images is None else (images[number],),
            masks=(),
            split="test",
            record={},
            label=int(test.labels[number]),
            true_probability=None,
        )
        for number in range(len(test))
    )
    return Cohort(Path(), description, cases)


def by_line(lines: tuple[Disturbance, ...]) -> dict[tuple[str, str], dict[str, Metric]]:
    return {(line.kind, line.level): {metric.name: metric for metric in line.metrics} for line in lines}


def test_each_disturbance_is_a_line_beside_the_undisturbed_patients(tmp_path: Path) -> None:
    test = prepared(tmp_path, CASES)
    rng = np.random.default_rng(0)
    distances = fit_distances(rng.normal(0, 1, (50, 16)), rng.normal(0, 1, (50, 16)))
    lines = judge_robustness(untrained(), cohort_of(test), test, PLAIN, distances)
    assert (lines[0].kind, lines[0].level) == ("Undisturbed", "")
    assert {metric.name for metric in lines[0].metrics} == {"auroc", "nll", "calibration_slope", "flagged"}
    found = by_line(lines)
    assert ("No image", "empty grid") in found
    assert ("Thicker slices", "10 mm") not in found  # these images are not volumes
    assert [level for kind, level in found if kind == "Record field missing"] == [
        each.title for each in FEATURES
    ]
    for metrics in list(found.values())[1:]:
        assert metrics["auroc_change"].value == pytest.approx(
            metrics["auroc"].value - found["Undisturbed", ""]["auroc"].value
        )
        assert metrics["mean_change"].n == CASES


def test_a_record_alone_is_not_moved_by_its_absent_image(tmp_path: Path) -> None:
    test = prepared(tmp_path, CASES)
    found = by_line(judge_robustness(untrained(small("record")), cohort_of(test), test, PLAIN))
    assert {kind for kind, _ in found} == {"Undisturbed", "Record field missing", "Record fields missing"}
    assert found["Record fields missing", "all"]["mean_change"].value > 0
    assert found["Record fields missing", "all"]["auroc"].value == pytest.approx(0.5)


def test_an_image_alone_is_not_moved_by_its_record(tmp_path: Path) -> None:
    test = prepared(tmp_path, CASES)
    found = by_line(judge_robustness(untrained(small("image")), cohort_of(test), test, PLAIN))
    for (kind, _), metrics in found.items():
        if kind.startswith("Record"):
            assert metrics["mean_change"].value == pytest.approx(0, abs=1e-6)
    assert found["No image", "empty grid"]["mean_change"].value > 0


def test_a_field_that_was_missing_already_changes_nothing(tmp_path: Path) -> None:
    test = prepared(tmp_path, CASES)
    missing = test.missing.copy()
    missing[:, 2] = 1
    found = by_line(judge_robustness(untrained(), cohort_of(test), replace(test, missing=missing), PLAIN))
    assert found["Record field missing", FEATURES[2].title]["mean_change"].value == pytest.approx(0, abs=1e-6)
    assert found["Record field missing", FEATURES[0].title]["mean_change"].value > 0


def test_features_of_one_title_have_a_line_each(tmp_path: Path) -> None:
    test, checkpoint = prepared(tmp_path, CASES), untrained()
    alike = tuple(each.model_copy(update={"title": "Pressure"}) for each in checkpoint.features[:2])
    named = replace(checkpoint, features=(*alike, *checkpoint.features[2:]))
    whole, found = (
        by_line(judge_robustness(each, cohort_of(test), test, PLAIN)) for each in (checkpoint, named)
    )
    for before, now in zip(checkpoint.features[:2], alike, strict=True):
        own = found["Record field missing", f"Pressure ({now.name})"]
        assert own == whole["Record field missing", before.title]
    assert ("Record field missing", checkpoint.features[2].title) in found


def test_acquired_volumes_are_disturbed_as_such(tmp_path: Path) -> None:
    """The image is written as a file finer than the grid, and read again for every disturbance."""
    test, files = acquired(tmp_path, 3)
    found = by_line(
        judge_robustness(untrained(), cohort_of(test, files), test, PLAIN, budget=Budget(robustness=2))
    )
    for line in (("Thicker slices", "10 mm"), ("Head nodding", "15 degrees"), ("Noise", "SD 20 HU")):
        assert found[line]["mean_change"].n == 2
    assert found["Head nodding", "15 degrees"]["mean_change"].value > 0


def test_a_few_slices_are_disturbed_in_their_values_alone(tmp_path: Path) -> None:
    test, files = acquired(tmp_path, 2)
    cohort = cohort_of(test, files)
    few = replace(cohort, cases=tuple(replace(case, few_slices=True) for case in cohort.cases))
    found = by_line(judge_robustness(untrained(), few, test, PLAIN))
    assert ("Noise", "SD 20 HU") in found
    assert ("Thicker slices", "10 mm") not in found


def acquired(folder: Path, count: int) -> tuple[PreparedSet, list[Path]]:
    """Round heads of 5 mm voxels as files, and the split prepared from them."""
    test, files = prepared(folder, count), []
    places = np.moveaxis(np.indices((36, 42, 36)), 0, -1) * 5.0
    head = (((places - (90, 105, 90)) / (70, 90, 80)) ** 2).sum(axis=-1) <= 1
    inner = (((places - (90, 105, 90)) / (60, 80, 70)) ** 2).sum(axis=-1) <= 1
    voxels = np.where(inner, 35, np.where(head, 900, -1024)).astype(np.int16)
    for number in range(count):
        bled = voxels.copy()
        bled[20:25, 15 + number : 20 + number, 18:24] = 70
        file = folder / f"{number}.nii.gz"
        write_nifti(bled, Grid((36, 42, 36), np.diag([5.0, 5.0, 5.0, 1.0])), file)
        np.save(test.images[number], to_model_grid(read_image([file], modality=Modality.CT), GRID).array)
        files.append(file)
    return test, files
