"""training.cohort: what is legal, and what is refused in words that name the row."""

import json
from pathlib import Path
from typing import Any

import pytest

from training.cohort import CohortError, load_cohort

AGE = {
    "name": "age", "title": "Age", "kind": "numeric", "loinc": "30525-0", "unit": "a",
    "plausible_range": [18, 110], "categories": [], "required": False,
}  # fmt: skip
SEX = {
    "name": "sex", "title": "Sex", "kind": "categorical", "loinc": None, "unit": None,
    "plausible_range": None, "categories": ["female", "male"], "required": False,
}  # fmt: skip
DESCRIPTION: dict[str, Any] = {
    "task": "gos", "modality": "CT", "source": "phantoms", "outcome": "gos", "positive": "GOS 4-5",
    "seed": 1, "features": [AGE, SEX], "minimum_features": 0,
}  # fmt: skip
HEADER = "patient_id,image,mask,split,age,sex,gos,true_probability"


def write_cohort(folder: Path, *rows: str, header: str = HEADER) -> Path:
    (folder / "cohort.json").write_text(json.dumps(DESCRIPTION))
    (folder / "cohort.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "a.nii").write_bytes(b"")
    (folder / "series").mkdir(exist_ok=True)
    (folder / "series" / "2").write_bytes(b"")
    (folder / "series" / "1").write_bytes(b"")
    return folder


def test_an_empty_cell_is_a_missing_value_and_not_in_the_record(tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path, "p1,a.nii,,train,71.5,,4,0.7", "p2,a.nii,,,,male,1,"))
    assert [case.record for case in cohort.cases] == [{"age": 71.5}, {"sex": "male"}]
    assert [case.label for case in cohort.cases] == [3, 0]
    assert [case.split for case in cohort.cases] == ["train", None]
    assert [case.true_probability for case in cohort.cases] == [0.7, None]


def test_a_folder_is_an_image_of_many_files(tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path, "p1,series,,train,71,,4,"))
    assert [file.name for file in cohort.cases[0].image] == ["1", "2"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p1,absent.nii,,train,71,male,4,", "row 2: the image file or folder does not exist"),
        ("p1,a.nii,,train,old,male,4,", "row 2: age must be a number in a"),
        ("p1,a.nii,,train,71,male,6,", "row 2: gos must be one of"),
        ("p1,a.nii,,holdout,71,male,4,", "row 2: split must be one of"),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(CohortError, match=words) as caught:
        load_cohort(write_cohort(tmp_path, row))
    assert "old" not in caught.value.detail.replace("older", "")


def test_one_patient_in_two_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="1 patients stand in more than one row"):
        load_cohort(write_cohort(tmp_path, "p1,a.nii,,train,71,male,4,", "p1,a.nii,,test,72,male,4,"))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"lacks the columns \['gos'\]"):
        load_cohort(write_cohort(tmp_path, "p1,a.nii,71,male", header="patient_id,image,age,sex"))


def test_an_empty_table_and_an_absent_description_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="at least one row"):
        load_cohort(write_cohort(tmp_path))
    (tmp_path / "cohort.json").unlink()
    with pytest.raises(CohortError, match=r"expected cohort\.json"):
        load_cohort(tmp_path)
