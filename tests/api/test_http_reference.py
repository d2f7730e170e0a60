"""The page on HTTP says what the code does."""

import re
from pathlib import Path
from typing import get_args

from app.api.form_receiver import FIELD_PARTS, IMAGE_PART
from app.api.problems import PROBLEM_TYPES
from app.api.worklist import WorklistQuery
from app.records.worklist import SortKey

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text(encoding="utf-8")


def test_the_table_of_problems_is_that_of_the_code() -> None:
    documented = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    kinds = sorted(PROBLEM_TYPES.values(), key=lambda kind: (kind.status, kind.code))
    assert documented == [(str(int(kind.status)), kind.code, kind.meaning) for kind in kinds]


def test_the_parts_of_the_form_are_those_of_the_code() -> None:
    table = PAGE.split("| Part | Content |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {*FIELD_PARTS, IMAGE_PART}


def test_the_parameters_of_the_worklist_are_those_of_the_code() -> None:
    table = PAGE.split("| Parameter | Meaning |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(WorklistQuery.model_fields)
    sort = next(row for row in table.splitlines() if row.startswith("| `sort`"))
    assert set(get_args(SortKey)) <= set(re.findall(r"`(\w+)`", sort))
