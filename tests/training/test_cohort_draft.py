"""A first description: names alone decide, and what they do not tell is listed."""

import json
from pathlib import Path

import pytest

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.imaging.volume import Modality
from training.__main__ import main
from training.cohort import CohortError, load_cohort, read_description
from training.cohort_draft import Draft, describe, draft

EVERY = ("patient_id", "image", "outcome")


def of(*columns: str, outcome: str = "outcome") -> Draft:
    return draft([*EVERY, *columns], "gos", "a hospital", outcome)


@pytest.mark.parametrize(("task", "schema"), [("gos", GOS_SCHEMA), ("ad", AD_SCHEMA)])
def test_the_table_of_a_reference_record_is_described_whole(task: str, schema: object) -> None:
    names = [feature.name for feature in (GOS_SCHEMA if task == "gos" else AD_SCHEMA).features]
    drafted = draft([*EVERY, *reversed(names)], "gos" if task == "gos" else "ad", "a hospital", "outcome")
    assert drafted.description.ehr == schema
    assert (drafted.undescribed, drafted.renamed, drafted.absent) == ((), {}, ())


def test_it_is_of_patients_and_of_the_task_s_images() -> None:
    description = of("age").description
    assert (description.source, description.seed, description.of_phantoms) == ("a hospital", None, False)
    assert description.modality is Modality.CT
    assert draft([*EVERY, "age"], "ad", "x", "outcome").description.modality is Modality.MR


def test_columns_that_no_name_tells_are_listed_and_not_guessed() -> None:
    drafted = of("age", "nihss", "Systolic_BP", "mask", "split")
    assert [feature.name for feature in drafted.description.features] == ["age"]
    assert drafted.undescribed == ("nihss", "Systolic_BP")
    assert drafted.renamed == {"Systolic_BP": "systolic_bp"}
    assert "systolic_bp" in drafted.absent


def test_site_and_date_are_taken_where_there_are_columns_of_that_name() -> None:
    described = of("age", "site", "date")
    assert (described.description.site, described.description.date) == ("site", "date")
    assert described.undescribed == ()
    assert (of("age").description.site, of("age").description.date) == (None, None)


@pytest.mark.parametrize("kind", ["slice", "image"])
def test_numbered_columns_are_slices_from_below_whatever_their_order(kind: str) -> None:
    columns = ["patient_id", *(f"{kind}_{number}" for number in (10, 2, 1)), "outcome", "age"]
    drafted = draft(columns, "gos", "x", "outcome")
    slices = (f"{kind}_1", f"{kind}_2", f"{kind}_10")
    assert (drafted.description.images, drafted.description.masks) == (slices, ())
    assert drafted.undescribed == ()


def test_slices_have_masks_where_each_has_one() -> None:
    columns = ["patient_id", "slice_1", "slice_2", "outcome", "age", "mask_1"]
    some = draft(columns, "gos", "x", "outcome")
    assert (some.description.masks, some.undescribed) == ((), ("mask_1",))
    every = draft([*columns, "mask_2"], "gos", "x", "outcome")
    assert (every.description.masks, every.undescribed) == (("mask_1", "mask_2"), ())
    of_all = draft([*columns, "mask"], "gos", "x", "outcome")
    assert of_all.undescribed == ("mask_1", "mask"), "one mask is of no slice"


def test_what_is_called_image_is_the_image_and_a_number_alone_makes_no_slice() -> None:
    both = of("age", "slice_1", "slice_2", "image_b")
    assert (both.description.images, both.undescribed) == (("image",), ("slice_1", "slice_2", "image_b"))
    with pytest.raises(CohortError, match="found none called image;"):
        draft(["patient_id", "slice_1", "outcome", "age"], "gos", "x", "outcome")


def test_the_outcome_is_no_feature() -> None:
    description = draft(["patient_id", "image", "age", "gcs"], "gos", "x", "gcs").description
    assert [feature.name for feature in description.features] == ["age"]
    assert description.outcome == "gcs"


@pytest.mark.parametrize("absent", EVERY)
def test_a_table_without_a_column_that_all_have_is_refused(absent: str) -> None:
    with pytest.raises(CohortError, match=f"found none called {absent};.*--outcome"):
        draft([*(name for name in EVERY if name != absent), "age"], "gos", "x", "outcome")


def test_a_table_without_a_known_feature_is_refused() -> None:
    with pytest.raises(CohortError, match=r"at least one feature .* such as age, sex, gcs, systolic_bp"):
        of("nihss")


@pytest.mark.parametrize(
    ("outcome", "levels", "words"),
    [("outcome", {"CN": "healthy"}, "levels must lead to"), ("image", {}, "one column each")],
)
def test_what_cannot_be_meant_is_refused(outcome: str, levels: dict[str, str], words: str) -> None:
    with pytest.raises(CohortError, match=f"^{words}"):
        draft([*EVERY, "age"], "ad", "x", outcome, levels)


def write_table(
    folder: Path, text: str = "patient_id,image,age,sex,state\np1,a.nii,71,female,good\n"
) -> Path:
    (folder / "cohort.csv").write_text(text)
    (folder / "a.nii").write_bytes(b"image")
    return folder


def test_a_described_table_can_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--outcome", "state", "--levels", "poor=unfavourable, good=favourable"]
    assert (
        main(["describe", str(write_table(tmp_path)), "--task", "gos", "--source", "a hospital", *options])
        == 0
    )
    (case,) = load_cohort(tmp_path).cases
    assert (case.record, case.label) == ({"age": 71.0, "sex": "female"}, 1)
    told = capsys.readouterr().out
    assert "Age: 18 to 110 a" in told
    assert "Sex: female or male" in told
    assert "the outcome: poor or good" in told
    assert "Not in the table: gcs" in told


def test_a_described_table_of_slices_can_be_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_table(tmp_path, "patient_id,slice_2,slice_1,age,outcome\np1,b.nii,a.nii,71,4\n")
    (folder / "b.nii").write_bytes(b"image")
    assert main(["describe", str(folder), "--task", "gos", "--source", "x"]) == 0
    (case,) = load_cohort(folder).cases
    assert [file.name for file in case.image] == ["a.nii", "b.nii"]
    assert "slice 2 of 2, from below" in capsys.readouterr().out


def test_columns_are_listed_as_they_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("bp [mmHg]", "x[/y]", "[bold]")
    text = f"patient_id,image,age,outcome,{','.join(names)}\np1,a.nii,71,4,1,2,3\n"
    assert main(["describe", str(write_table(tmp_path, text)), "--task", "gos", "--source", "x"]) == 0
    told = capsys.readouterr().out
    assert [name for name in names if name in told] == list(names)


def test_a_description_that_somebody_wrote_is_not_replaced(tmp_path: Path) -> None:
    (write_table(tmp_path) / "cohort.json").write_text("{}")
    with pytest.raises(CohortError, match="found one"):
        describe(tmp_path, "gos", "x", "state")
    assert json.loads((tmp_path / "cohort.json").read_text()) == {}


@pytest.mark.parametrize("text", ["", "patient_id,image,age,state\n"])
def test_a_table_without_patients_is_not_described(text: str, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="found none"):
        describe(write_table(tmp_path, text), "gos", "x", "state")
    assert not (tmp_path / "cohort.json").exists()


@pytest.mark.parametrize("levels", ["good", "=favourable", "good=", "good=favourable,"])
def test_levels_that_are_no_pairs_are_refused(levels: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["describe", "c", "--task", "gos", "--source", "x", "--levels", levels])
    assert ended.value.code == 2
    assert "expected WORD=MEANING" in capsys.readouterr().err


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    drafted = describe(
        write_table(tmp_path),
        "gos",
        "Klinikum, 2016 bis 2021",
        "state",
        {"good": "favourable", "poor": "unfavourable"},
    )
    assert read_description(tmp_path / "cohort.json") == drafted.description
