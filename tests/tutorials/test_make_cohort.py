"""The how-to "Make a cohort of what you have": its programs on a BIDS dataset and on an export of REDCap, as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.repository import ROOT
from training.__main__ import main
from training.cohort import Cohort, load_cohort

PAGE = ROOT / "docs" / "how-to" / "make-cohort.md"
PROGRAMS = dict(
    re.findall(r"^```python\n# (\w+)\.py: (.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the cohort; what it is made of lies beside it."""
    made = tmp_path / "cohort"
    made.mkdir()
    return made


def run(program: str, folder: Path) -> str:
    """Run a program of the page in the cohort's folder; what it printed."""
    _, _, lines = PROGRAMS[program].partition("\n")
    return subprocess.run(  # noqa: S603 - what the page says
        [sys.executable, "-c", lines], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def described(folder: Path, *options: str) -> Cohort:
    """The cohort as `describe` describes it."""
    assert main(["describe", str(folder), *options]) == 0
    return load_cohort(folder)


def scan(path: Path) -> None:
    """A file where an image would be; nobody opens it here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"image")


def test_a_bids_dataset_becomes_a_cohort(folder: Path) -> None:
    bids = folder.parent / "dataset"
    for session in (
        "ses-10/anat/sub-1_ses-10",
        "ses-2/anat/sub-1_ses-2_run-2",
        "ses-2/anat/sub-1_ses-2_run-1",
    ):
        scan(bids / f"sub-1/{session}_T1w.nii.gz")
    scan(bids / "sub-1/ses-1/anat/sub-1_ses-1_FLAIR.nii.gz")
    scan(bids / "sub-2/anat/sub-2_T1w.nii.gz")
    scan(bids / "sub-3/anat/sub-3_T1w.nii.gz")
    (bids / "sub-1/sub-1_sessions.tsv").write_text("session_id\tage\nses-10\t80\nses-2\t72.5\n")
    (bids / "participants.tsv").write_text(
        "participant_id\tage\tsex\teducation\tapoe4\tdiagnosis\n"
        "sub-1\tn/a\tM\t11\t1\tCN\n"
        "sub-2\t66\tF\tn/a\tn/a\tAD\n"
        "sub-3\t70\tF\t9\t0\tMCI\n"
        "sub-4\t71\tF\t9\t0\tCN\n",
        encoding="utf-8-sig",
    )
    (folder / "bids").symlink_to(bids)
    assert run("cohort_from_bids", folder) == "left out: {'another diagnosis': 1, 'no T1w': 1}\n"
    first, second = described(folder, "--task", "ad", "--source", "a dataset").cases
    assert (first.patient_id, second.patient_id) == ("sub-1", "sub-2")
    # The first session that has a T1w, its first run, and the age of that day.
    assert first.image == (folder / "bids/sub-1/ses-2/anat/sub-1_ses-2_run-1_T1w.nii.gz",)
    assert first.record == {"age": 72.5, "sex": "male", "education_years": 11.0, "apoe4_alleles": 1.0}
    assert second.record == {"age": 66.0, "sex": "female"}
    assert (first.label, second.label) == (0, 1)


def test_an_export_of_redcap_becomes_a_cohort(folder: Path) -> None:
    for record in ("7", "8", "10"):
        scan(folder.parent / "archive" / record / "slice-1")
    (folder / "scans").symlink_to(folder.parent / "archive")
    (folder / "registry.csv").write_text(
        "record_id,redcap_event_name,redcap_data_access_group,admitted,age,sex,gcs_total,sbp,medication___1,gos_90d\n"
        "7,admission_arm_1,north,2021-03-04,71,2,13,-9,1,\n"
        "7,day_90_arm_1,north,,,,,,,4\n"
        "8,admission_arm_1,south,2021-04-05,UNK,1,,168,0,\n"
        "8,day_90_arm_1,south,,,,,,,1\n"
        "9,admission_arm_1,south,2021-04-06,60,1,14,150,0,\n"
        "9,day_90_arm_1,south,,,,,,,5\n"
        "10,admission_arm_1,south,2021-04-07,61,1,14,150,0,\n"
        "10,day_90_arm_1,south,,,,,,,NI\n",
        encoding="utf-8-sig",
    )
    assert run("cohort_from_redcap", folder) == "left out: {'no image': 1, 'no outcome': 1}\n"
    first, second = described(folder, "--task", "gos", "--source", "a registry").cases
    assert first.record == {"age": 71.0, "sex": "female", "gcs": 13.0, "anticoagulant": "yes"}
    assert second.record == {"sex": "male", "systolic_bp": 168.0, "anticoagulant": "no"}
    assert (first.label, second.label) == (3, 0)
    assert (first.site, str(first.date)) == ("north", "2021-03-04")


def test_a_modified_rankin_scale_is_told_in_two_classes(folder: Path) -> None:
    given = re.search(r"`(--levels \S+)`", PAGE.read_text("utf-8"))
    assert given is not None
    rows = "".join(f"p{grade},{grade}.nii,71,{grade}\n" for grade in range(7))
    (folder / "cohort.csv").write_text("patient_id,image,age,outcome\n" + rows)
    for grade in range(7):
        scan(folder / f"{grade}.nii")
    cohort = described(folder, "--task", "gos", "--source", "a registry", *given[1].split())
    assert [case.label for case in cohort.cases] == [1, 1, 1, 0, 0, 0, 0]
