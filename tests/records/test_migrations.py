"""A database that an earlier release made is brought up to date with its rows; nothing is lost on the way."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, MetaData, Table, inspect, text

from app.api.predict_document import ANSWER
from app.errors import NotReadyError
from app.predictions.answer import Answer
from app.records.database import MIGRATIONS, open_database
from app.records.postgresql import postgresql_engine
from app.records.predictions import PredictionRecords
from app.records.sqlite import sqlite_engine
from tests.records.conftest import KINDS, Place

ROWS = 1203
"""More than two batches of the migration, so that its edges are crossed."""


def answer(number: int) -> dict[str, Any]:
    """A document as the release of revision 0001 kept it."""
    ct = number % 2 == 0
    outcome = {
        "label": "gos_4" if ct else "cn",
        "favourable": number / ROWS if ct else None,
        "abstained": number % 3 == 0,
        "out_of_distribution": {"score": 0.97, "threshold": 0.95, "flagged": number % 5 == 0},
    }
    record = {name: value for name, value in ANSWER["ehr"].items() if name != "contributions"}
    return {
        **ANSWER,
        "ehr": record,
        "id": f"{number:036d}",
        "task": "gos" if ct else "ad",
        "prediction": {**ANSWER["prediction"], **outcome},
    }


FILLED_BY_MIGRATIONS = ("alembic_version", "plan", "audit_head")

INSERT = text(
    "INSERT INTO predictions (id, created, model_name, model_version, model_sha256, document)"
    " VALUES (:id, '2026-11-23 10:00:00.000000', 'gos', 1, :sha256, :document)"
)


def insert(place: Place, numbers: Iterable[int]) -> None:
    rows = [
        {"id": f"{number:036d}", "sha256": "a" * 64, "document": json.dumps(answer(number))}
        for number in numbers
    ]
    with connected(place) as connection:
        connection.execute(INSERT, rows)


@contextmanager
def connected(place: Place) -> Iterator[Connection]:
    engine = sqlite_engine(place) if isinstance(place, Path) else postgresql_engine(place, 1)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def migrate(place: Place, direction: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with connected(place) as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


@pytest.fixture(scope="module", params=KINDS)
def records(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Iterator[PredictionRecords]:
    """A store opened by this release on a database that holds rows of revision 0001."""
    place = new_place(request.param)
    migrate(place, command.upgrade, "0001")
    insert(place, range(ROWS))
    engine = open_database(place)
    yield PredictionRecords(engine)
    engine.dispose()


@pytest.mark.parametrize("number", [0, 1, 15, 499, 500, 501, 999, 1000, ROWS - 1])
def test_a_row_of_revision_0001_is_filled_from_its_document(records: PredictionRecords, number: int) -> None:
    document = answer(number)
    kept = records.get(document["id"])
    outcome = document["prediction"]
    assert json.loads(kept.document) == document
    assert Answer.model_validate_json(kept.document).ehr.contributions is None
    assert (kept.task, kept.label, kept.favourable) == (
        document["task"],
        outcome["label"],
        outcome["favourable"],
    )
    assert kept.abstained is outcome["abstained"]
    assert kept.out_of_distribution is outcome["out_of_distribution"]["flagged"]
    assert kept.reference is None
    assert kept.created == datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("revision", ["0002", "0003", "0008"])
def test_rows_of_every_table_survive_the_migrations_after_them(place: Place, revision: str) -> None:
    """SQLite alters a table by copying and dropping it, which takes the rows that refer to its rows along."""
    migrate(place, command.upgrade, revision)
    with connected(place) as connection:
        for table in tables_of(connection):
            if table.name not in FILLED_BY_MIGRATIONS:
                connection.execute(table.insert(), {each.name: sample(each) for each in table.columns})
    before = rows(place)
    migrate(place, command.upgrade, "head")
    after = rows(place)
    for name, kept in before.items():
        assert [row | old for row, old in zip(after[name], kept, strict=True)] == after[name], name


def test_an_empty_database_of_revision_0001_is_brought_up_to_date(place: Place) -> None:
    migrate(place, command.upgrade, "0001")
    engine = open_database(place)
    PredictionRecords(engine).caller("absent")
    engine.dispose()


def test_a_database_of_a_newer_release_is_refused_in_words_and_stays_as_it_is(place: Place) -> None:
    migrate(place, command.upgrade, "head")
    with connected(place) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = columns(place)
    with pytest.raises(NotReadyError, match="newer release"):
        open_database(place)
    assert columns(place) == before


def test_the_way_back_keeps_every_document(place: Place) -> None:
    migrate(place, command.upgrade, "0001")
    before = columns(place)
    insert(place, [2])
    migrate(place, command.upgrade, "head")
    migrate(place, command.downgrade, "0001")
    assert columns(place) == before
    with connected(place) as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "predictions"}
        assert json.loads(connection.scalar(text("SELECT document FROM predictions")) or "") == answer(2)


def columns(place: Place) -> list[tuple[str, str, bool]]:
    with connected(place) as connection:
        return [
            (column["name"], str(column["type"]), column["nullable"])
            for column in inspect(connection).get_columns("predictions")
        ]


def tables_of(connection: Connection) -> list[Table]:
    """Those that are there now, parents first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return metadata.sorted_tables


def sample(column: Column[Any]) -> object:
    """A value that its type takes; the same for every key, so that rows refer to each other."""
    kind = column.type.python_type
    if kind is str:
        return json.dumps(answer(2)) if column.name == "document" else "ü1"
    return datetime(2026, 11, 23, 10, tzinfo=UTC).replace(tzinfo=None) if kind is datetime else kind(1)


def rows(place: Place) -> dict[str, list[dict[str, Any]]]:
    with connected(place) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in tables_of(connection)
            if table.name != "alembic_version"
        }
