"""`neurofuse predict --cohort`: a row gets the answer a case gets, a bad row stops nothing, and what is known is not asked again."""

import csv
import json
import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.cli import main
from app.exit_status import FAILED, OK, REFUSED

pytestmark = pytest.mark.usefixtures("own_logging")
COLUMNS = ("patient_id", "image", "age", "gcs", "sex", "outcome")
ROWS = [
    ("a", "head.nii.gz", "71", "9", "female", "3"),
    ("b", "scans", "", "15", "", "5"),
    ("c", "head.nii.gz", "50", "", "male", ""),
]


@pytest.fixture
def table(tiny_store: Path, head_ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three patients; one image is in a folder."""
    monkeypatch.setenv("NEUROFUSE_MODEL_STORE", str(tiny_store))
    monkeypatch.setenv("NEUROFUSE_THREADS", "1")
    (tmp_path / "scans").mkdir()
    shutil.copy(head_ct, tmp_path / "head.nii.gz")
    shutil.copy(head_ct, tmp_path / "scans" / "other.nii.gz")
    return written(tmp_path / "table.csv", ROWS)


def written(path: Path, rows: Sequence[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def predict(table: Path) -> int:
    return main(["predict", "--cohort", str(table), "--task", "gos", "--out", str(results_of(table))])


def results_of(table: Path) -> Path:
    return table.with_name("results.csv")


def lines(table: Path) -> dict[str, dict[str, str]]:
    with results_of(table).open(newline="") as file:
        return {line["id"]: line for line in csv.DictReader(file)}


def test_every_row_gets_the_answer_that_the_case_gets_alone(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(table) == OK
    told = capsys.readouterr().err
    assert "passed over: outcome" in told
    assert "Tests of the software only." in told.replace("\n", " ")
    found = lines(table)
    assert list(found) == ["a", "b", "c"]
    record = table.with_name("record.json")
    record.write_text(json.dumps({"age": 71, "gcs": 9, "sex": "female"}))
    out = table.with_name("alone")
    main(
        [
            "predict",
            str(table.with_name("head.nii.gz")),
            "--ehr",
            str(record),
            "--task",
            "gos",
            "--out",
            str(out),
        ]
    )
    answer = json.loads((out / "answer.json").read_text())["prediction"]
    for label, probability in answer["probabilities"].items():
        assert float(found["a"][f"p_{label}"]) == pytest.approx(probability, abs=1e-5)
    assert found["a"]["prediction_set"].split() == answer["prediction_set"]
    assert found["a"]["warnings"].split()[0] == "training-data"


def test_a_row_that_cannot_be_answered_says_why_and_is_tried_again(table: Path) -> None:
    rows = [*ROWS, ("d", "nothing.nii.gz", "", "", "", ""), ("e", "head.nii.gz", "900", "", "", ""), ("f", "table.csv", "", "", "", "")]  # fmt: skip
    written(table, rows)
    assert predict(table) == FAILED
    found = lines(table)
    assert [found[name]["status"] for name in "abcdef"] == ["answered"] * 3 + ["failed"] * 3
    assert found["e"]["code"] == "ehr-invalid"
    assert found["e"]["detail"] == "age must lie between 18 and 110 a"
    assert found["f"]["code"] == "unsupported-file"
    assert found["d"]["code"] == "no-usable-series", "a place where nothing is is no fault of the software"
    assert "900" not in found["e"]["detail"]
    shutil.copy(table.with_name("head.nii.gz"), table.with_name("nothing.nii.gz"))
    predict(table)
    again = lines(table)
    assert again["d"]["status"] == "answered"
    assert again["a"] == found["a"], "milliseconds too: it was not asked again"


def test_an_empty_folder_and_a_name_that_no_disk_takes_stop_no_other_row(table: Path) -> None:
    table.with_name("empty").mkdir()
    written(table, [ROWS[0], ("d", "empty", "", "", "", ""), ("e", "x" * 300, "", "", "", "")])
    assert predict(table) == FAILED
    assert [(line["status"], line["code"]) for line in lines(table).values()] == [
        ("answered", ""),
        ("failed", "malformed-request"),
        ("failed", "no-usable-series"),
    ]
    shutil.copy(table.with_name("head.nii.gz"), table.with_name("empty"))
    predict(table)
    assert lines(table)["d"]["status"] == "answered"


def test_half_a_line_that_a_kill_left_is_asked_again_and_no_other(table: Path) -> None:
    predict(table)
    whole, text = lines(table), results_of(table).read_text()
    results_of(table).write_text(text[: text.rindex("c,") + 9])
    assert predict(table) == OK
    found = lines(table)
    assert list(found) == ["a", "b", "c"]
    assert (found["a"], found["b"]) == (whole["a"], whole["b"])
    assert found["c"]["favourable"] == whole["c"]["favourable"]


def test_only_what_has_changed_is_asked_again(table: Path) -> None:
    predict(table)
    before = lines(table)
    written(table, [ROWS[0], ("b", "scans", "", "3", "", "5"), ROWS[2]])
    os.utime(table.with_name("scans") / "other.nii.gz", (1, 1))
    predict(table)
    after = lines(table)
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["b"]["case"] != before["b"]["case"]


def test_a_command_that_can_answer_nothing_leaves_what_was_answered_before(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(table)
    before = results_of(table).read_bytes()
    written(table, [(*row[:2], "72", *row[3:]) for row in ROWS])
    with monkeypatch.context() as patch:
        patch.setenv("NEUROFUSE_PROVIDER", "cuda")
        if predict(table) == OK:
            pytest.skip("this machine has a card")
    assert results_of(table).read_bytes() == before
    assert predict(table) == OK
    assert results_of(table).read_bytes() != before


def test_a_name_that_a_spreadsheet_would_compute_is_made_harmless_and_found_again(table: Path) -> None:
    written(table, [("=1+1", *ROWS[0][1:])])
    predict(table)
    first = lines(table)
    assert list(first) == ["'=1+1"]
    predict(table)
    assert lines(table) == first


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        ([("a", "71")], ("patient_id", "age"), "column `image`"),
        ([], COLUMNS, "at least one row"),
        ([("a", "x.nii"), ("a", "y.nii")], ("id", "image"), "every id once"),
        ([("a", "")], ("id", "image"), "row 1 names none"),
        (
            [("a", "x.nii", "more")],
            ("id", "image"),
            "row 1 has another number. Write a comma for every empty cell",
        ),
        ([("head.nii.gz", "9", "13")], ("image", "gcs", "gcs"), "gcs stands twice"),
        ([("head.nii.gz;71,5",)], ("image;age",), "with commas, and with decimal points"),
        ([("head.nii.gz", "71")], ("Image", "age"), "in these letters: image."),
        ([("a", "head.nii.gz", "71")], ("ID", "image", "AGE"), "in these letters: age, id."),
        ([("", "")], ("image", "age"), "at least one row"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_before_any_image_is_opened(
    table: Path,
    rows: list[tuple[str, ...]],
    columns: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(table, rows, columns)
    assert predict(table) == REFUSED
    assert words in capsys.readouterr().err
    assert not results_of(table).exists()


def test_spaces_around_names_and_rows_of_empty_cells_are_what_spreadsheets_leave(table: Path) -> None:
    written(table, [("a", "head.nii.gz", "71"), ("", "", "")], ("id", " image", "age "))
    assert predict(table) == OK
    (line,) = lines(table).values()
    written(table, [("a", "head.nii.gz", "71")], ("id", "image", "age"))
    predict(table)
    assert lines(table)["a"]["case"] == line["case"], "the age was read"


def test_rows_without_names_are_called_by_their_number(table: Path) -> None:
    written(table, [row[1:] for row in ROWS], COLUMNS[1:])
    predict(table)
    assert list(lines(table)) == ["1", "2", "3"]


def test_the_picture_counts_every_row(table: Path) -> None:
    written(table, [*ROWS, ("d", "nothing.nii.gz", "", "", "", "")])
    predict(table)
    texts = [each.text or "" for each in ET.parse(results_of(table).with_suffix(".svg")).iter()]  # noqa: S314 - our own
    assert "answered: 3 of 4" in texts
    assert "not answered: 1 of 4" in texts
    assert any("favourable outcome" in text for text in texts)


def test_an_image_and_a_table_together_or_neither_are_refused(table: Path) -> None:
    arguments = ["predict", "--task", "gos", "--out", str(results_of(table))]
    assert main(arguments) == REFUSED
    assert main([*arguments, "--cohort", str(table), str(table)]) == REFUSED


@pytest.mark.parametrize(
    "of_one_case", [("--ehr", "record.json"), ("--series", "1.2.3"), ("--heatmap", "native")]
)
def test_what_is_asked_of_one_case_is_not_passed_over_beside_a_table(
    table: Path, of_one_case: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(results_of(table)))
    assert main(["predict", "--cohort", str(table), "--task", "gos", *of_one_case, *out]) == REFUSED
    assert "beside one case" in capsys.readouterr().err.replace("\n", " ")
    assert not results_of(table).exists()


def test_a_file_that_is_no_result_is_never_replaced(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = table.read_bytes()
    assert main(["predict", "--cohort", str(table), "--task", "gos", "--out", str(table)]) == REFUSED
    assert "something else" in capsys.readouterr().err
    assert table.read_bytes() == before


@pytest.mark.parametrize("out", ["results.svg", "folder"])
def test_results_that_their_own_picture_or_a_folder_would_replace_are_refused_before_anything_is_asked(
    table: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    table.with_name("folder").mkdir()
    before = sorted(table.parent.iterdir())
    assert (
        main(["predict", "--cohort", str(table), "--task", "gos", "--out", str(table.with_name(out))])
        == REFUSED
    )
    assert "Expected --out to name a CSV file" in capsys.readouterr().err
    assert sorted(table.parent.iterdir()) == before
