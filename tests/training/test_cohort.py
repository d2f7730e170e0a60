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
    for name in ("a.nii", "b.nii", "c.nii", "1.nii", "2.nii"):
        (folder / name).write_bytes(b"")
    (folder / "series").mkdir(exist_ok=True)
    (folder / "series" / "2").write_bytes(b"")
    (folder / "series" / "1").write_bytes(b"")
    return folder


def test_an_empty_cell_is_a_missing_value_and_not_in_the_record(tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path, "p1,a.nii,,train,71.5,,4,0.7", "p2,b.nii,,,,male,1,"))
    assert [case.record for case in cohort.cases] == [{"age": 71.5}, {"sex": "male"}]
    assert [case.label for case in cohort.cases] == [3, 0]
    assert [case.split for case in cohort.cases] == ["train", None]
    assert [case.true_probability for case in cohort.cases] == [0.7, None]


def test_a_folder_is_an_image_of_many_files(tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path, "p1,series,,train,71,,4,"))
    assert [file.name for file in cohort.cases[0].image] == ["1", "2"]


def test_a_link_to_a_folder_of_the_archive_is_read(tmp_path: Path) -> None:
    write_cohort(tmp_path, "p1,patient,,train,71,,4,")
    (tmp_path / "patient").mkdir()
    (tmp_path / "patient" / "ct").symlink_to(tmp_path / "series")
    assert [file.name for file in load_cohort(tmp_path).cases[0].image] == ["1", "2"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p1,absent.nii,,train,71,male,4,", "row 2: the image file or folder does not exist"),
        ("p1,a.nii,,train,old,male,4,", "row 2: age must be a number in a"),
        ("p1,a.nii,,train,7_1,male,4,", "row 2: age must be a number in a"),
        ("p1,a.nii,,train,71,male,6,", "row 2: gos must be one of"),
        ("p1,a.nii,,train,71,male,,", "row 2: gos is empty.*leave the row out"),
        ("p1,a.nii,,holdout,71,male,4,", "row 2: split must be one of"),
        (",a.nii,,train,71,male,4,", "row 2: patient_id is empty"),
        ("p1,,,train,71,male,4,", "row 2: the image .* is not named"),
        (f"p1,{'a' * 300},,train,71,male,4,", "row 2: the image file or folder does not exist"),
        ("p1,a.nii,absent.nii,train,71,male,4,", "row 2: the mask is no file"),
        ("p1,a.nii,series,train,71,male,4,", "row 2: the mask is no file"),
        ("p1,a.nii,./a.nii,train,71,male,4,", "row 2: the mask is the image itself"),
        ("p1,a.nii,,train,nan,male,4,", "row 2: age must be a finite number; correct the cell"),
        ("p1,a.nii,,train,999,male,4,", "row 2: age must lie between 18 and 110 a"),
        ("p1,a.nii,,train,71,Male,4,", "row 2: sex must be one of female, male"),
        ("p1,a.nii,,train,71,male,4,high", "row 2: true_probability must lie between 0 and 1"),
        ("p1,a.nii,,train,71,male,4,nan", "row 2: true_probability must lie between 0 and 1"),
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


def with_description(folder: Path, **changes: object) -> Path:
    (folder / "cohort.json").write_text(json.dumps(DESCRIPTION | changes))
    return folder


def test_a_phantom_is_not_trained_on_as_a_patient(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,", "p2,a.nii,,,71,male,4,0.7")
    with pytest.raises(CohortError, match="row 3: true_probability is known of phantoms only") as caught:
        load_cohort(with_description(folder, source="University hospital"))
    assert "0.7" not in caught.value.detail


def test_site_day_and_subgroups_are_carried_beside_the_record(tmp_path: Path) -> None:
    header = "patient_id,image,age,sex,gos,hospital,admitted,surgery"
    rows = ("p1,a.nii,71,male,4,north,2019-05-02,yes", "p2,b.nii,71,male,4,,,")
    folder = write_cohort(tmp_path, *rows, header=header)
    with_description(folder, site="hospital", date="admitted", subgroups=["surgery"])
    first, second = load_cohort(folder).cases
    assert (first.site, str(first.date), first.subgroups) == ("north", "2019-05-02", {"surgery": "yes"})
    assert (second.site, second.date, second.subgroups) == (None, None, {})
    assert set(first.record) == {"age", "sex"}


@pytest.mark.parametrize("column", ["class", "record missing", "site"])
def test_a_subgroup_does_not_take_the_name_of_a_group_that_every_evaluation_makes(
    tmp_path: Path, column: str
) -> None:
    """Patients of an ASA class would stand among those of an outcome's, and hospitals not be judged at all."""
    header = f"patient_id,image,age,sex,gos,hospital,{column}"
    folder = write_cohort(tmp_path, "p1,a.nii,71,male,4,north,2", header=header)
    with pytest.raises(CohortError, match=f"subgroups: .*{column}.*rename"):
        load_cohort(with_description(folder, site="hospital", subgroups=[column]))


def test_the_column_of_sites_may_be_named_site_and_be_a_subgroup_too(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,71,male,4,north", header="patient_id,image,age,sex,gos,site")
    (case,) = load_cohort(with_description(folder, site="site", subgroups=["site"])).cases
    assert (case.site, case.subgroups) == ("north", {"site": "north"})


def test_a_day_that_is_none_is_refused_without_repeating_it(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,71,male,4,2.5.19", header="patient_id,image,age,sex,gos,day")
    with pytest.raises(CohortError, match=r"row 2: day must be a day, YYYY-MM-DD") as caught:
        load_cohort(with_description(folder, date="day"))
    assert "2.5.19" not in caught.value.detail


@pytest.mark.parametrize(
    ("levels", "words", "labels"),
    [
        ({"1": "5", "2": "4", "3": "3", "4": "2", "5": "1"}, ("1", "5", "2"), [4, 0, 3]),
        ({"good": "favourable", "poor": "unfavourable"}, ("good", "poor", "good"), [1, 0, 1]),
    ],
)
def test_the_tables_own_words_for_the_outcome_are_read(
    tmp_path: Path, levels: dict[str, str], words: tuple[str, ...], labels: list[int]
) -> None:
    rows = (f"p{image},{image}.nii,,,71,male,{word}," for image, word in zip("abc", words, strict=True))
    cohort = load_cohort(with_description(write_cohort(tmp_path, *rows), levels=levels))
    assert [case.label for case in cohort.cases] == labels
    assert cohort.description.classes == (2 if "good" in levels else 5)


@pytest.mark.parametrize("levels", [{"good": "fine"}, {"good": "favourable", "dead": "1"}])
def test_levels_that_mix_grades_and_classes_are_refused(tmp_path: Path, levels: dict[str, str]) -> None:
    with pytest.raises(CohortError, match="levels must lead to"):
        load_cohort(with_description(write_cohort(tmp_path, "p1,a.nii,,,71,male,4,"), levels=levels))


def test_several_image_columns_are_slices_of_one_image_in_their_order(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,low.nii,a.nii,71,male,4", header="patient_id,low,high,age,sex,gos")
    (folder / "low.nii").write_bytes(b"")
    (case,) = load_cohort(with_description(folder, images=["low", "high"])).cases
    assert case.few_slices
    assert [file.name for file in case.image] == ["low.nii", "a.nii"]


@pytest.mark.parametrize(
    ("masks", "low", "high", "expected"),
    [
        (["m1", "m2"], "1.nii", "2.nii", ["1.nii", "2.nii"]),
        (["m2", "m1"], "1.nii", "2.nii", ["2.nii", "1.nii"]),
        (["m1", "m2"], "", "", []),
        ([], "1.nii", "2.nii", []),
    ],
)
def test_each_slice_has_a_mask_of_its_own_in_the_order_of_the_description(
    tmp_path: Path, masks: list[str], low: str, high: str, expected: list[str]
) -> None:
    header = "patient_id,low,high,m1,m2,age,sex,gos"
    folder = write_cohort(tmp_path, f"p1,a.nii,a.nii,{low},{high},71,male,4", header=header)
    (case,) = load_cohort(with_description(folder, images=["low", "high"], masks=masks)).cases
    assert [file.name for file in case.masks] == expected


def test_a_patient_has_a_mask_for_every_slice_or_for_none(tmp_path: Path) -> None:
    header = "patient_id,low,high,m1,m2,age,sex,gos"
    folder = write_cohort(tmp_path, "p1,a.nii,a.nii,1.nii,,71,male,4", header=header)
    with pytest.raises(CohortError, match="row 2: some slices have a mask and others have none"):
        load_cohort(with_description(folder, images=["low", "high"], masks=["m1", "m2"]))


def test_one_mask_of_several_slices_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    folder = write_cohort(
        tmp_path, "p1,a.nii,a.nii,m.nii,71,male,4", header="patient_id,low,high,mask,age,sex,gos"
    )
    with pytest.raises(CohortError, match=r'row 2: a mask of a few-slice image.*"masks" in cohort\.json'):
        load_cohort(with_description(folder, images=["low", "high"]))


@pytest.mark.parametrize("masks", [["m1"], ["m1", "m1"], ["m1", "low"], ["m1", "m2", "m3"]])
def test_masks_that_are_not_one_for_each_image_are_refused(tmp_path: Path, masks: list[str]) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,")
    with pytest.raises(CohortError, match="masks must name a column of its own for each of images"):
        load_cohort(with_description(folder, images=["low", "high"], masks=masks))


def test_a_table_from_a_spreadsheet_is_read_in_spite_of_its_byte_order_mark(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,")
    (folder / "cohort.csv").write_bytes(b"\xef\xbb\xbf" + (folder / "cohort.csv").read_bytes())
    assert load_cohort(folder).cases[0].patient_id == "p1"


def test_an_image_of_two_patients_is_refused_also_where_a_folder_holds_another(tmp_path: Path) -> None:
    for images in (("a.nii", "a.nii"), ("series", "series/1")):
        rows = (f"p{number},{image},,,71,male,4," for number, image in enumerate(images))
        with pytest.raises(CohortError, match="1 image files belong to more than one patient"):
            load_cohort(write_cohort(tmp_path, *rows))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("patient_id,image,gos,sex,age", "p1,a.nii,4,male,71,5"),
        ("patient_id,image,gos,age,sex,note", "p1,a.nii,4,71,5,male,"),
        ("patient_id,image,gos,sex,age,", "p1,a.nii,4,male,71,5"),
    ],
)
def test_a_comma_too_many_does_not_move_cells_under_their_neighbours_names(
    tmp_path: Path, header: str, row: str
) -> None:
    with pytest.raises(CohortError, match=r"row 2: .* more cells here than columns.*decimal points"):
        load_cohort(write_cohort(tmp_path, row, header=header))
    quoted = row.replace("71,5", '"71.5"')
    assert load_cohort(write_cohort(tmp_path, quoted, header=header)).cases[0].record["age"] == 71.5


def test_a_column_without_a_name_is_passed_over(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "0,p1,a.nii,71,male,4,", header=",patient_id,image,age,sex,gos,")
    assert load_cohort(folder).cases[0].record == {"age": 71.0, "sex": "male"}


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    header = "patient_id,image,age,sex,gos,age "
    with pytest.raises(CohortError, match=r"every column with a name of its own, found columns \[3, 6\]"):
        load_cohort(write_cohort(tmp_path, "p1,a.nii,71,male,4,72", header=header))


def test_a_table_without_a_header_is_refused_without_repeating_a_patients_values(tmp_path: Path) -> None:
    row = "secret1,a.nii,71,71,male,4"
    for header in (row, row.replace("71,71", "71,72")):
        with pytest.raises(CohortError) as caught:
            load_cohort(write_cohort(tmp_path, row, header=header))
        assert not {"secret1", "71"} & set(caught.value.detail.replace("'", " ").split())


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_patients_behind_it(
    tmp_path: Path,
) -> None:
    rows = ('p1,a.nii,,,71,male,4,"', "p2,b.nii,,,71,male,4,")
    with pytest.raises(CohortError, match=r"cohort\.csv holds a cell that never ends"):
        load_cohort(write_cohort(tmp_path, *rows))


def test_a_cell_longer_than_any_reader_takes_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="more than 131072 characters"):
        load_cohort(write_cohort(tmp_path, f"p1,a.nii,,,71,male,4,{'x' * 200_000}"))


def test_rows_are_counted_as_a_spreadsheet_counts_them_and_empty_ones_are_nobody(tmp_path: Path) -> None:
    rows = ("", ",,,,,,,", '"p1\nof the ward",a.nii,,,71,male,4,', "p2,b.nii,,,old,male,4,")
    with pytest.raises(CohortError, match="row 5: age must be a number"):
        load_cohort(write_cohort(tmp_path, *rows))


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"'])
def test_a_line_that_tells_excel_the_separator_is_passed_over_and_as_excel_does_not_counted(
    tmp_path: Path, line: str
) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,", header=f"{line}\n{HEADER}")
    assert load_cohort(folder).cases[0].patient_id == "p1"
    with pytest.raises(CohortError, match="row 2: age must be a number"):
        load_cohort(write_cohort(tmp_path, "p1,a.nii,,,old,male,4,", header=f"{line}\n{HEADER}"))


@pytest.mark.parametrize("above", ["", ",,,,,,,", "Cohort of the ward\n", HEADER.replace(",", "|") + "\n"])
def test_what_stands_above_the_header_is_told_and_no_comma_too_many(tmp_path: Path, above: str) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,", header=f"{above}\n{HEADER}")
    with pytest.raises(CohortError, match=r"row 1: .* expects a header of names with commas between them"):
        load_cohort(folder)


def test_a_table_with_semicolons_is_told_so(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,")
    (folder / "cohort.csv").write_text((folder / "cohort.csv").read_text().replace(",", ";"))
    with pytest.raises(CohortError, match="separated by semicolons or tabs; save it with commas"):
        load_cohort(folder)


def test_a_description_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,4,")
    (folder / "cohort.json").write_bytes(b"\xef\xbb\xbf" + (folder / "cohort.json").read_bytes())
    assert load_cohort(folder).cases[0].patient_id == "p1"


@pytest.mark.parametrize("name", ["gos", "true_probability", "image", "age"])
def test_a_column_is_no_feature_beside_what_else_it_is(tmp_path: Path, name: str) -> None:
    folder = with_description(
        write_cohort(tmp_path, "p1,a.nii,,,71,male,4,"), features=[AGE, SEX, AGE | {"name": name}]
    )
    with pytest.raises(CohortError, match=rf"found several uses of \['{name}'\]"):
        load_cohort(folder)


def test_a_record_of_no_feature_is_refused(tmp_path: Path) -> None:
    folder = with_description(write_cohort(tmp_path, "p1,a.nii,,,71,male,4,"), features=[])
    with pytest.raises(CohortError, match=r"cohort\.json: features: .*at least 1 item"):
        load_cohort(folder)


def test_an_unknown_outcome_is_given_no_meaning(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path, "p1,a.nii,,,71,male,,")
    with pytest.raises(CohortError, match="levels must not give an empty cell"):
        load_cohort(with_description(folder, levels={"": "1", "5": "5"}))
