"""The worklist shows every answer, also one whose document cannot be read any more."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.api.predict_document import ANSWER
from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.predictions.case_list import CaseList
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from app.records.worklist import Page, Selection
from tests.support.records import tables_at

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SOUND = KeptPrediction(
    "0193c2", NOW, "gos", 1, "a" * 64, json.dumps(ANSWER), "gos", "gos_4", 0.71, abstained=False,
    out_of_distribution=False, reference="ICH-7",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as opened:
        yield opened


@pytest.mark.parametrize(
    "document", ["", SOUND.document[:-9], json.dumps({**ANSWER, "task": "newer"}), "null"]
)
def test_an_answer_that_cannot_be_read_is_listed_as_such_and_hides_no_other(
    store: RecordStore, tmp_path: Path, document: str
) -> None:
    store.predictions.add(SOUND)
    store.predictions.add(replace(SOUND, id="0193c3", document=document, reference="ICH-8"))
    cases = CaseStore(tmp_path / "cases", KeepingLimits(3600, 10**6))
    page = CaseList(store.worklist, cases).page(Selection(), Page(limit=25))
    damaged, sound = page.items
    assert page.total == 2
    assert (sound.reference, sound.favourable, sound.warnings) == ("ICH-7", 0.71, ["training-data"])
    assert (damaged.id, damaged.reference, damaged.created) == ("0193c3", "ICH-8", NOW)
    assert (damaged.favourable, damaged.probabilities) == (None, {})
    assert damaged.warnings == ["answer-unreadable"]


@pytest.mark.parametrize(("abstained", "unlike"), [(True, False), (False, True)])
def test_that_a_model_abstained_and_that_a_case_is_unlike_others_are_two_things(
    store: RecordStore, tmp_path: Path, abstained: bool, unlike: bool
) -> None:
    """A set of every class abstains from a case like any other."""
    store.predictions.add(replace(SOUND, abstained=abstained, out_of_distribution=unlike))
    cases = CaseStore(tmp_path / "cases", KeepingLimits(3600, 10**6))
    (line,) = CaseList(store.worklist, cases).page(Selection(), Page(limit=25)).items
    assert (line.abstained, line.out_of_distribution) == (abstained, unlike)
