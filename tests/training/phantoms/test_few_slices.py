"""A phantom cohort of three slices each: legal, in two classes, and the lesion is on the slices that are kept."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from app.imaging.model_grid import ModelGrid
from app.imaging.one_slice import read_slice, read_slice_mask
from app.imaging.volume import Modality
from training.cohort import Cohort, CohortError, load_cohort
from training.commands import phantoms
from training.phantoms.cohort import CaseRequest, generate_cohort
from training.prepare import Target, prepare

GRID = ModelGrid(
    modality=Modality.CT, shape=(3, 28, 24), spacing_mm=(10, 8, 8), orientation="RAS", crop="head-top",
    channels=1, intensity_unit="HU", fill=-1024.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("slices")
    generate_cohort("gos", {"train": 2, "test": 1}, folder, seed=5, slices=3)
    return load_cohort(folder)


def test_the_cohort_has_three_image_columns_six_features_and_two_classes(cohort: Cohort) -> None:
    assert cohort.description.images == ("slice_1", "slice_2", "slice_3")
    assert len(cohort.description.features) == 6
    assert cohort.description.classes == 2
    assert all(case.few_slices and len(case.image) == len(case.masks) == 3 for case in cohort.cases)


def test_slices_lie_above_one_another_in_the_order_of_their_columns(cohort: Cohort) -> None:
    for case in cohort.cases:
        heights = [read_slice(file, modality=Modality.CT).slice_origins[0, 2] for file in case.image]
        assert np.all(np.diff(heights) > 3)


def test_a_prepared_case_is_the_head_in_the_middle_of_every_slice(cohort: Cohort, tmp_path: Path) -> None:
    prepared = prepare(cohort.cases, cohort.description.ehr, Target(GRID, (1,)), tmp_path, workers=1)
    for index in range(len(prepared)):
        image = prepared.image(index)
        assert image.shape == GRID.shape
        tissue = (image > -200) & (image < 100)
        rows, columns = (np.average(np.indices(tissue.shape)[axis], weights=tissue) for axis in (1, 2))
        assert abs(rows - 13.5) < 4
        assert abs(columns - 11.5) < 4


def test_the_prepared_lesion_lies_on_the_blood_of_its_own_slice(cohort: Cohort, tmp_path: Path) -> None:
    fine = GRID.model_copy(update={"shape": (3, 112, 96), "spacing_mm": (10.0, 2.0, 2.0)})
    prepared = prepare(cohort.cases, cohort.description.ehr, Target(fine, (1,)), tmp_path, workers=1)
    for index, case in enumerate(cohort.cases):
        image, mask = prepared.image(index), prepared.mask(index)
        assert mask is not None
        assert mask.shape == image.shape
        inside = mask > 200
        assert inside.any()
        assert 50 < np.median(image[inside]) < 90
        stored = sum(_lesion_mm2(file) for file in case.masks)
        assert mask.sum() / 255 * 4 == pytest.approx(stored, rel=0.05)


def _lesion_mm2(file: Path) -> float:
    mask = read_slice_mask(file)
    pixel_mm2 = float(np.prod([np.linalg.norm(step) for step in (mask.step_i, mask.step_j)]))
    return np.count_nonzero(mask.voxels == 1) * pixel_mm2


def test_cases_made_before_there_were_masks_are_made_anew() -> None:
    assert CaseRequest("gos", 0, 0, 0.0, slices=3).as_marked()["masks"]
    assert "masks" not in CaseRequest("gos", 0, 0, 0.0).as_marked()


def test_marks_of_whole_volumes_are_what_they_were_before_there_were_slices() -> None:
    assert "slices" not in CaseRequest("gos", 0, 0, 0.0).as_marked()
    assert CaseRequest("gos", 0, 0, 0.0, slices=3).as_marked()["slices"] == 3


def test_the_command_refuses_slices_of_what_has_none(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    phantoms.add_arguments(parser)
    with pytest.raises(CohortError, match="--task gos"):
        phantoms.run(parser.parse_args(["--task", "ad", "--slices", "3", "--out", str(tmp_path)]))
