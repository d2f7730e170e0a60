"""Cohort folders: complete, readable by training and service alike, repeatable, resumable."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from app.imaging.read import read_image, read_mask
from app.imaging.resample import sample_on_grid
from app.imaging.synthetic import is_synthetic
from app.imaging.volume import Grid
from training.cohort import Cohort, load_cohort
from training.phantoms.cohort import generate_cohort
from training.tasks import SCHEMAS

AD_COUNTS = {"train": 2, "validation": 0, "test": 1}


@pytest.fixture(scope="module")
def ad_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ad")
    generate_cohort("ad", AD_COUNTS, folder, seed=7, workers=1, dicom_share=0.5)
    return folder


@pytest.fixture(scope="module")
def gos_cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("gos")
    generate_cohort("gos", {"train": 1, "calibration": 2}, folder, seed=3, workers=1, dicom_share=0.5)
    return load_cohort(folder)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_the_table_has_the_contracts_columns_in_order(ad_folder: Path) -> None:
    with (ad_folder / "cohort.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    features = [feature.name for feature in SCHEMAS["ad"].features]
    fixed = ["patient_id", "image", "mask", "split", *features, "outcome", "true_probability"]
    assert list(rows[0])[: len(fixed)] == fixed
    assert all(name.startswith("truth_") for name in list(rows[0])[len(fixed) :])
    assert [row["split"] for row in rows] == ["train", "train", "test"]
    assert all(row["outcome"] in {"cn", "ad"} for row in rows)
    assert all(0 < float(row["true_probability"]) < 1 for row in rows)


def test_the_description_carries_the_reference_schema(ad_folder: Path) -> None:
    cohort = load_cohort(ad_folder)
    assert cohort.description.ehr == SCHEMAS["ad"]
    assert cohort.description.source == "phantoms"
    assert cohort.description.seed == 7
    assert len(cohort.part("train")) == 2


def test_only_finished_files_are_in_the_folder(ad_folder: Path) -> None:
    assert not list(ad_folder.rglob("*.part"))
    assert len(list((ad_folder / "masks").iterdir())) == len(list((ad_folder / "images").iterdir())) == 3


def test_images_come_as_nifti_and_as_dicom(gos_cohort: Cohort) -> None:
    kinds = {case.image[0].suffix for case in gos_cohort.cases}
    assert len(kinds) == 2
    assert ".gz" in kinds


def test_every_image_says_that_no_patient_was_imaged(gos_cohort: Cohort) -> None:
    assert all(is_synthetic(file) for case in gos_cohort.cases for file in case.image)


def test_the_services_door_reads_every_image_and_finds_the_blood_under_the_mask(gos_cohort: Cohort) -> None:
    for case in gos_cohort.cases:
        (mask_file,) = case.masks
        mask = read_mask(mask_file)
        volume = read_image(case.image, modality=gos_cohort.description.modality)
        hu = sample_on_grid(volume, mask.grid, -1024.0)
        assert 50 < np.median(hu[mask.voxels == 1]) < 90
        assert np.median(hu[(mask.voxels == 0) & (hu > 0) & (hu < 100)]) < 45


def test_the_mask_holds_the_volume_the_risk_model_was_given(gos_cohort: Cohort) -> None:
    with (gos_cohort.root / "cohort.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["patient_id"]: row for row in csv.DictReader(file)}
    for case in gos_cohort.cases:
        (mask_file,) = case.masks
        mask = read_mask(mask_file)
        millilitres = (mask.voxels == 1).sum() * _voxel_ml(mask.grid)
        assert millilitres == pytest.approx(float(rows[case.patient_id]["truth_volume_ml"]), rel=0.1)


def test_dicom_and_nifti_of_an_mri_show_the_same_dark_ventricles_under_the_mask(ad_folder: Path) -> None:
    cohort = load_cohort(ad_folder)
    for case in cohort.cases:
        (mask_file,) = case.masks
        mask = read_mask(mask_file)
        signal = sample_on_grid(read_image(case.image, modality=cohort.description.modality), mask.grid, 0.0)
        ventricles, hippocampi = (np.median(signal[mask.voxels == label]) for label in (2, 1))
        assert ventricles < 0.7 * hippocampi


def test_the_number_of_workers_does_not_change_a_byte(ad_folder: Path, tmp_path: Path) -> None:
    generate_cohort("ad", AD_COUNTS, tmp_path, seed=7, workers=2, dicom_share=0.5)
    assert _digests(tmp_path) == _digests(ad_folder)


def test_a_cohort_grows_without_making_finished_cases_again(tmp_path: Path) -> None:
    generate_cohort("ad", {"test": 1}, tmp_path, seed=7, dicom_share=0.5)
    mark = tmp_path / "rows" / "ad-7-00000.json"
    kept = json.loads(mark.read_bytes())
    kept["row"]["truth_hippocampus_ml"] = "kept"
    mark.write_text(json.dumps(kept), encoding="utf-8")
    table = generate_cohort("ad", {"train": 1}, tmp_path, seed=7, dicom_share=0.5)
    assert table.read_text(encoding="utf-8").splitlines()[1].endswith(",kept")


def test_a_case_made_under_another_request_is_made_again(tmp_path: Path) -> None:
    generate_cohort("ad", {"train": 1}, tmp_path, seed=7)
    mark = tmp_path / "rows" / "ad-7-00000.json"
    stale = json.loads(mark.read_bytes())
    stale["request"]["version"] = 0
    stale["row"]["outcome"] = "stale"
    mark.write_text(json.dumps(stale), encoding="utf-8")
    table = generate_cohort("ad", {"train": 1}, tmp_path, seed=7)
    assert "stale" not in table.read_text(encoding="utf-8")


def _voxel_ml(grid: Grid) -> float:
    return float(abs(np.linalg.det(grid.affine[:3, :3])) / 1000)
