"""What a row of a table is: an earlier answer is kept where nothing has changed that it depends on, and only there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.cohort.table import Row, read_table
from app.inference.predictor import Predictor

PACKAGE = "a" * 64


@pytest.fixture
def row(tmp_path: Path) -> Row:
    image = tmp_path / "head.nii"
    image.write_bytes(b"voxels")
    return Row("017", image, {"age": 71.0, "sex": "female"})


def test_a_row_is_the_same_by_another_name_and_with_its_record_in_another_order(row: Row) -> None:
    again = replace(row, name="18", record=dict(reversed(list(row.record.items()))))
    assert again.digest(PACKAGE) == row.digest(PACKAGE)


@pytest.mark.parametrize("record", [{"age": 72.0, "sex": "female"}, {"age": 71.0}, {}])
def test_a_record_that_was_corrected_is_asked_again(row: Row, record: dict[str, object]) -> None:
    assert replace(row, record=record).digest(PACKAGE) != row.digest(PACKAGE)


def test_another_package_is_asked_again(row: Row) -> None:
    assert row.digest("b" * 64) != row.digest(PACKAGE)


def test_an_image_that_was_exchanged_moved_or_lost_is_asked_again(row: Row) -> None:
    before = row.digest(PACKAGE)
    moved = row.image.rename(row.image.with_name("other.nii"))
    assert row.digest(PACKAGE) != before, "it is not there"
    assert replace(row, image=moved).digest(PACKAGE) != before
    moved.rename(row.image)
    assert row.digest(PACKAGE) == before
    os.utime(row.image, (0, 0))
    assert row.digest(PACKAGE) != before


def test_a_slip_is_no_number(tmp_path: Path, gos_predictor: Predictor) -> None:
    """The record is refused by name then, as whatever else is no number."""
    table = tmp_path / "table.csv"
    table.write_text("image,age\nhead.nii,7_1\n", encoding="utf-8")
    (found,) = read_table(table, gos_predictor.package.manifest.ehr).rows
    assert found.record == {"age": "7_1"}


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"'])
def test_a_line_that_tells_excel_the_separator_is_passed_over(
    tmp_path: Path, gos_predictor: Predictor, line: str
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{line}\r\nimage,age\r\nhead.nii,71\r\n", encoding="utf-8-sig")
    (found,) = read_table(table, gos_predictor.package.manifest.ehr).rows
    assert (found.image.name, found.record) == ("head.nii", {"age": 71.0})
