"""The page on HTTP says what the code does."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final, get_args

from app import errors
from app.api.form_receiver import FIELD_PARTS, IMAGE_PART
from app.api.parameter_faults import OTHER, REASONS, WRONG_TYPE
from app.api.problems import PROBLEM_TYPES
from app.api.worklist import WorklistQuery
from app.imaging.limiting import LIMITING
from app.records.worklist import SortKey

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
OF_HANDLERS: Final = frozenset({"parameters", "reasons", "error"})
"""Members that no error brings: `app.api.problems` adds them."""
UNSEEN: Final = frozenset({"provider"})
"""Of a package that does not open, which clients meet as one that is not ready."""


def test_the_table_of_problems_is_that_of_the_code() -> None:
    documented = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    kinds = sorted(PROBLEM_TYPES.values(), key=lambda kind: (kind.status, kind.code))
    assert documented == [(str(int(kind.status)), kind.code, kind.meaning) for kind in kinds]


def test_the_members_of_problems_are_those_that_the_code_gives_them() -> None:
    sentence = PAGE.split("Members beside the standard ones: ")[1].split("Where parameters")[0]
    calls = (call for call in _calls() if (name := _called(call)).endswith("Error") and hasattr(errors, name))
    given = {keyword.arg for call in calls for keyword in call.keywords if keyword.arg is not None}
    assert set(re.findall(r"`(\w+)`", sentence)) == (given | OF_HANDLERS) - UNSEEN


def test_every_warning_and_finding_is_told_here_and_named_on_the_page() -> None:
    table = PAGE.split("## Warnings and findings")[1].split("\n## ")[0]
    told = dict(
        re.findall(r"^\| `([\w-]+)` \| (warning|finding|finding, and warning) \|", table, re.MULTILINE)
    )
    findings = {ast.literal_eval(call.args[0]) for call in _calls() if _called(call) == "Finding"}
    keywords = [keyword for call in _calls() if _called(call) == "Caution" for keyword in call.keywords]
    fixed = [each.value for each in keywords if each.arg == "code" and isinstance(each.value, ast.Constant)]
    cautions = {errors.AnswerUnreadableError.code, *(each.value for each in fixed)}
    assert told == (
        dict.fromkeys(cautions, "warning")
        | dict.fromkeys(findings, "finding")
        | dict.fromkeys(LIMITING, "finding, and warning")
    )
    words = (ROOT / "web" / "src" / "texts" / "en.ts").read_text(encoding="utf-8")
    words = words.split("  findings: {")[1].split("\n  }")[0]
    assert told.keys() == set(re.findall(r'^ {4}"?([a-z-]+)"?: "', words, re.MULTILINE))


@cache
def _calls() -> tuple[ast.Call, ...]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "app").rglob("*.py"))
    return tuple(node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def test_the_words_for_what_is_wrong_with_a_parameter_are_those_of_the_code() -> None:
    words = PAGE.split("`reasons` gives")[1].split("No problem")[0]
    assert set(re.findall(r"`([a-z-]+)`", words)) == {*REASONS.values(), WRONG_TYPE, OTHER}


def test_the_parts_of_the_form_are_those_of_the_code() -> None:
    table = PAGE.split("| Part | Content |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {*FIELD_PARTS, IMAGE_PART}


def test_the_parameters_of_the_worklist_are_those_of_the_code() -> None:
    table = PAGE.split("| Parameter | Meaning |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(WorklistQuery.model_fields)
    sort = next(row for row in table.splitlines() if row.startswith("| `sort`"))
    assert set(get_args(SortKey)) <= set(re.findall(r"`(\w+)`", sort))
