"""What an SQLite file holds comes into a PostgreSQL database whole, once, or not at all."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from app.errors import MalformedRequestError, NotReadyError
from app.records import copying
from app.records.api_keys import KeptKey
from app.records.audit import Deed
from app.records.copying import copy_records, require_taken_along
from app.records.database import open_database
from app.records.feedback import Feedback
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from app.records.tables import Base
from app.records.worklist import Page, Selection

NOW = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
PREDICTION = KeptPrediction(
    "a", NOW, "gos", 3, "0" * 64, '{"ä": 1}', "gos", "gos_4", 0.1 + 0.2, abstained=False, out_of_distribution=True,
    reference="K-17",
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Five answers, the first of them judged."""
    path = tmp_path / "records.sqlite3"
    with closing(RecordStore(path)) as records:
        for number in range(5):
            made = replace(
                PREDICTION, id=str(number), created=NOW + timedelta(seconds=number), reference=None
            )
            records.predictions.add(made)
        records.feedback.put("0", Feedback("disagree", "seen «otherwise»", "gos_1", NOW))
    return path


@pytest.fixture
def source(file: Path) -> Iterator[Engine]:
    engine = open_database(file)
    yield engine
    engine.dispose()


def contents(engine: Engine) -> dict[str, list[dict[str, object]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in Base.metadata.sorted_tables
        }


def test_every_row_of_every_table_is_there_afterwards(
    file: Path, source: Engine, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 2)
    counts = copy_records(file, postgres_url)
    target = open_database(postgres_url)
    assert contents(target) == contents(source)
    assert counts == {name: len(rows) for name, rows in contents(source).items()}
    target.dispose()
    with closing(RecordStore(postgres_url)) as records:
        entries, total = records.worklist.page(Selection(feedback="disagree"), Page(10))
    assert ([entry.prediction.id for entry in entries], total) == (["0"], 1)


def test_a_database_in_use_is_left_as_it_is(file: Path, postgres_url: str) -> None:
    with closing(RecordStore(postgres_url)) as records:
        records.predictions.add(PREDICTION)
        with pytest.raises(MalformedRequestError, match="predictions"):
            copy_records(file, postgres_url)
        assert records.worklist.page(Selection(), Page(10))[1] == 1


def test_keys_and_lines_of_an_audit_trail_there_are_not_lost(file: Path, postgres_url: str) -> None:
    with closing(RecordStore(postgres_url)) as records:
        records.audit.add(Deed("ops", "token", "GET /worklist"))
        with pytest.raises(MalformedRequestError, match="audit"):
            copy_records(file, postgres_url)
        records.api_keys.add(KeptKey("k", "PACS", ("system",), "0" * 64, NOW, NOW + timedelta(days=1)))
        with pytest.raises(MalformedRequestError, match="api_keys"):
            copy_records(file, postgres_url)
        assert [key.id for key in records.api_keys.all()] == ["k"]
        assert records.audit.head().last == 1


def test_what_cannot_be_kept_there_leaves_nothing(file: Path, postgres_url: str) -> None:
    with closing(RecordStore(file)) as records:
        records.feedback.put("1", Feedback(None, "a\0b", None, NOW))
    with pytest.raises(MalformedRequestError):
        copy_records(file, postgres_url)
    with closing(RecordStore(postgres_url)) as records:
        assert records.worklist.page(Selection(), Page(10)) == ([], 0)


def test_without_a_file_there_is_nothing_to_copy(tmp_path: Path, postgres_url: str) -> None:
    with pytest.raises(MalformedRequestError):
        copy_records(tmp_path / "absent.sqlite3", postgres_url)
    assert list(tmp_path.iterdir()) == []


def test_a_service_does_not_begin_on_a_new_database_beside_a_file_that_was_not_taken_along(
    file: Path, postgres_url: str
) -> None:
    require_taken_along(file.with_name("absent.sqlite3"), postgres_url)
    with pytest.raises(NotReadyError, match="copy-records"):
        require_taken_along(file, postgres_url)
    copy_records(file, postgres_url)
    require_taken_along(file, postgres_url)


def test_keys_that_were_made_before_the_first_start_do_not_pass_for_answers(
    file: Path, postgres_url: str
) -> None:
    with closing(RecordStore(postgres_url)) as records:
        records.audit.add(Deed("here", "service", "keys create", "k"))
    with pytest.raises(NotReadyError, match="copy-records"):
        require_taken_along(file, postgres_url)
    with closing(RecordStore(postgres_url)) as records:
        records.audit.add(Deed("somebody", "service", "predict", "1"))
    require_taken_along(file, postgres_url)


def test_a_file_that_holds_no_answer_is_nothing_to_take_along(tmp_path: Path, postgres_url: str) -> None:
    file = tmp_path / "records.sqlite3"
    with closing(RecordStore(file)):
        pass
    require_taken_along(file, postgres_url)
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(NotReadyError, match="copy-records"):
        require_taken_along(file, postgres_url)
