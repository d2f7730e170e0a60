"""What would be found only after hours of training is said or refused before."""

import csv
import shutil
from pathlib import Path

import pytest

from tests.training.ablation.support import PATIENTS, write_cohort
from training.__main__ import main

UNREADABLE = Path("/sys/class/net/lo/speed")
"""A file with a size, reading which is an error: the loopback has no speed."""
CONFIG = Path(__file__).parents[3] / "training" / "configs" / "practice.toml"


def with_splits(cohort: Path, *splits: str) -> Path:
    """The cohort with its patients dealt in turn to some of the splits, by the table."""
    table = cohort / "cohort.csv"
    with table.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "split"])
        writer.writerows([*row, splits[number // 5 % len(splits)]] for number, row in enumerate(rows))
    return cohort


def train(cohort: Path, *options: str) -> int:
    row = ["--row", "prevalence", "--out", str(cohort.parent / "run")]
    return main(["train", str(cohort), "--config", str(CONFIG), *row, *options])


@pytest.mark.parametrize("lost", ["calibration", "test"])
def test_a_split_that_only_the_evaluation_needs_is_asked_for_before_training(
    lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = [each for each in ("train", "validation", "calibration", "test") if each != lost]
    cohort = with_splits(write_cohort(tmp_path / "cohort", image=False), *splits)
    assert train(cohort) == 2
    assert f"found none for ['{lost}']" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert train(cohort, "--fold", "1/4") == 0, "folds are dealt anew"


def test_an_ablation_does_without_a_calibration_split_and_not_without_a_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for lost, status in (("calibration", 0), ("test", 2)):
        splits = [each for each in ("train", "validation", "calibration", "test") if each != lost]
        cohort = with_splits(write_cohort(tmp_path / lost, image=False), *splits)
        given = ["ablation", str(cohort), "--config", str(CONFIG), "--rows", "prevalence"]
        assert main([*given, "--out", str(tmp_path / f"{lost}-table"), "--workers", "1"]) == status
    assert "found none for ['test']" in capsys.readouterr().err


def test_a_feature_that_is_known_only_afterwards_is_told_when_training_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = write_cohort(tmp_path / "cohort", image=False)
    assert train(cohort) == 0
    assert capsys.readouterr().err == ""
    for name in ("cohort.csv", "cohort.json"):
        text = (cohort / name).read_text(encoding="utf-8")
        (cohort / name).write_text(text.replace("glucose", "discharge_score"), encoding="utf-8")
    assert train(cohort, "--no-resume") == 0, "it may be tried on purpose"
    told = " ".join(capsys.readouterr().err.split())
    assert "leak-by-name" in told
    assert "discharge_score" in told
    assert "spoil the result" in told


def test_a_copy_of_another_patients_image_is_told_when_training_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = write_cohort(tmp_path / "cohort", image=False)
    for number in range(PATIENTS):
        image = cohort / f"p{number:02d}.nii.gz"
        image.unlink()
        image.write_bytes(b"a head" + bytes([number]))
    assert train(cohort) == 0
    assert capsys.readouterr().err == ""
    shutil.copy(cohort / "p03.nii.gz", cohort / "p20.nii.gz")
    assert train(cohort, "--no-resume") == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "duplicate-image" in told
    assert "rows 5, 22" in told


@pytest.mark.skipif(not UNREADABLE.is_file(), reason="needs sysfs")
def test_images_that_the_disk_does_not_give_hold_up_no_row_that_opens_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = write_cohort(tmp_path / "cohort", image=False)
    for name in ("p00", "p01"):
        (cohort / f"{name}.nii.gz").unlink()
        (cohort / f"{name}.nii.gz").symlink_to(UNREADABLE)
    assert train(cohort) == 0
    assert capsys.readouterr().err == ""
