"""training.files.stamps: any file of a cohort that changes is noticed, and moving the cohort is no change."""

import os
import shutil
from pathlib import Path

import pytest

from tests.training.ablation.support import write_cohort
from training.files.stamps import cohort_stamp, file_stamp


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Patients with one image, in which only its size and time can be seen, and one of them with a mask and a series."""
    folder = write_cohort(tmp_path / "cohort", image=False)
    (folder / "series").mkdir()
    (folder / "series" / "1.dcm").write_bytes(b"one")
    (folder / "mask.nii.gz").write_bytes(b"mask")
    header, first, *others = (folder / "cohort.csv").read_text().splitlines()
    rows = [
        f"{header},mask",
        f"{first},mask.nii.gz".replace("p00.nii.gz", "series"),
        *(f"{row}," for row in others),
    ]
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder


def rewrite_later(file: Path) -> None:
    """Other bytes of the same number, a second later than before."""
    size, written_ns = file_stamp(file)
    file.write_bytes(b"x" * size)
    os.utime(file, ns=(written_ns + 10**9, written_ns + 10**9))


@pytest.mark.parametrize("name", ["image.nii.gz", "series/1.dcm", "mask.nii.gz", "cohort.csv", "cohort.json"])
def test_a_file_written_anew_is_another_cohort(cohort: Path, name: str) -> None:
    before = cohort_stamp(cohort)
    if name.startswith("cohort"):
        (cohort / name).write_text((cohort / name).read_text() + " \n")
    else:
        rewrite_later(cohort / name)
    assert cohort_stamp(cohort) != before


def test_a_file_more_in_a_series_is_another_cohort(cohort: Path) -> None:
    before = cohort_stamp(cohort)
    (cohort / "series" / "2.dcm").write_bytes(b"")
    assert cohort_stamp(cohort) != before


def test_a_cohort_moved_or_copied_with_its_times_is_the_same(cohort: Path, tmp_path: Path) -> None:
    shutil.copytree(cohort, tmp_path / "elsewhere")
    assert cohort_stamp(tmp_path / "elsewhere") == cohort_stamp(cohort)


def test_a_file_that_belongs_to_nobody_does_not_matter(cohort: Path) -> None:
    before = cohort_stamp(cohort)
    (cohort / "notes.txt").write_text("of the ward")
    assert cohort_stamp(cohort) == before
