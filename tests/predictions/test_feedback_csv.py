"""What clinicians wrote survives the table, and no spreadsheet computes it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from app.api.predict_document import ANSWER
from app.predictions.feedback_csv import FORMULA_START, cell, feedback_csv
from app.records.feedback import Feedback
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
GOS = KeptPrediction(
    "0193c2", NOW, "gos", 1, "a" * 64, json.dumps(ANSWER), "gos", "gos_4", 0.71, abstained=False,
    out_of_distribution=False, reference="=ICH-7",
)  # fmt: skip
AD = replace(
    GOS,
    id="0193c3",
    model_name="ad",
    model_sha256="b" * 64,
    document=json.dumps({
        **ANSWER,
        "task": "ad",
        "prediction": {**ANSWER["prediction"], "label": "cn", "probabilities": {"cn": 0.9, "ad": 1e-05}},
    }),
    task="ad",
    label="cn",
)  # fmt: skip
SAID = Feedback("disagree", 'seen, "otherwise"\r\nsecond line', "gos_1", NOW)

written = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.builds(
    str.__add__, st.sampled_from("=+-@\t\r"), st.text(alphabet="=+-@\t\r\n,\"';1A")
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    with closing(RecordStore(tmp_path_factory.mktemp("csv") / "records.sqlite3")) as opened:
        opened.predictions.add(GOS)
        opened.predictions.add(AD)
        yield opened


def table(store: RecordStore) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(feedback_csv(store.feedback)), newline=""), strict=True))


@given(written)
def test_what_was_written_comes_back(store: RecordStore, reason: str) -> None:
    store.feedback.put(GOS.id, replace(SAID, reason=reason))
    read = table(store)[0]["reason"]
    # Whatever a spreadsheet takes for the end of a cell, none begins as a formula does; and nothing but apostrophes came in.
    assert not any(begun.startswith(("=", "+", "-", "@")) for begun in re.split(r"[;\t\r\n]", read))
    assert re.sub(r"(^|[;\t\r\n])'(?=[=+\-@\t\r])", r"\1", read) == reason or "'" in reason
    assert (read == reason) is (FORMULA_START.search(reason) is None)


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_a_formula_becomes_text(formula: str) -> None:
    assert cell(formula).startswith("'" + formula[0])


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("ok;=1+1", "ok;'=1+1"),
        ("ok\n=1+1", "ok\n'=1+1"),
        ("9 -> 7; -2 points", "9 -> 7; -2 points"),
        ("a-b", "a-b"),
    ],
)
def test_a_formula_behind_what_ends_a_cell_somewhere_becomes_text_too(text: str, safe: str) -> None:
    assert cell(text) == safe


def test_a_row_says_which_package_answered_what_and_what_was_said(store: RecordStore) -> None:
    store.feedback.put(GOS.id, SAID)
    assert table(store)[0] == {
        "id": "0193c2", "created": "2026-11-23T10:00:00Z", "reference": "'=ICH-7", "release": app.__version__, "model": "gos",
        "version": "1", "sha256": "a" * 64, "label": "gos_4", "probability_gos_1": "0.04", "probability_gos_2": "0.02", "probability_gos_3": "0.23",
        "probability_gos_4": "0.4", "probability_gos_5": "0.31", "agreement": "disagree", "reason": SAID.reason,
        "outcome": "gos_1", "updated": "2026-11-23T10:00:00Z",
    }  # fmt: skip


def test_packages_of_other_classes_share_the_table(store: RecordStore) -> None:
    store.feedback.put(GOS.id, SAID)
    store.feedback.put(AD.id, Feedback(None, None, "ad", NOW))
    gos, ad = table(store)
    store.feedback.remove(AD.id)
    assert (gos["probability_ad"], gos["probability_gos_4"]) == ("", "0.4")
    assert (ad["probability_ad"], ad["probability_gos_4"]) == ("1e-05", "")
    assert (ad["agreement"], ad["reason"], ad["outcome"]) == ("", "", "ad")


def test_an_answer_that_cannot_be_read_keeps_its_row_and_hides_no_other(store: RecordStore) -> None:
    damaged = replace(GOS, id="0193b0", document=GOS.document[:-9])
    store.predictions.add(damaged)
    for each in (damaged, GOS):
        store.feedback.put(each.id, SAID)
    first, second = table(store)
    store.predictions.delete(damaged.id)
    assert (first["id"], first["label"], first["probability_gos_4"]) == ("0193b0", "gos_4", "")
    assert (first["agreement"], first["outcome"]) == ("disagree", "gos_1")
    assert (second["id"], second["probability_gos_4"]) == (GOS.id, "0.4")


def test_lines_end_as_rfc_4180_says(store: RecordStore) -> None:
    store.feedback.put(GOS.id, replace(SAID, reason="one line"))
    lines = "".join(feedback_csv(store.feedback)).split("\r\n")
    assert len(lines) == 3
    assert lines[-1] == ""
    assert not any("\n" in line for line in lines)


def test_without_feedback_there_is_a_header_alone(store: RecordStore) -> None:
    store.feedback.remove(GOS.id)
    text = "".join(feedback_csv(store.feedback))
    assert (
        text == "id,created,reference,release,model,version,sha256,label,agreement,reason,outcome,updated\r\n"
    )
