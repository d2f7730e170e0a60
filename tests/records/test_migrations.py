"""A database that an earlier release made is brought up to date with its rows; nothing is lost on the way."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from app.api.predict_document import ANSWER
from app.predictions.answer import Answer
from app.records.database import MIGRATIONS, open_database
from app.records.predictions import PredictionRecords

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


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PredictionRecords]:
    """A store opened by this release on a file that holds rows of revision 0001."""
    path = tmp_path_factory.mktemp("earlier") / "records.sqlite3"
    upgrade(path, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO predictions VALUES (?, '2026-11-23 10:00:00.000000', 'gos', 1, ?, ?)",
            [(f"{number:036d}", "a" * 64, json.dumps(answer(number))) for number in range(ROWS)],
        )
    opened = PredictionRecords(open_database(path))
    yield opened
    opened.close()


def upgrade(path: Path, revision: str) -> None:
    migrate(path, command.upgrade, revision)


def migrate(path: Path, direction: Callable[[Config, str], None], revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)
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


def test_an_empty_database_of_revision_0001_is_brought_up_to_date(tmp_path: Path) -> None:
    upgrade(tmp_path / "records.sqlite3", "0001")
    engine = open_database(tmp_path / "records.sqlite3")
    PredictionRecords(engine).check()
    engine.dispose()


def test_the_way_back_keeps_every_document(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    upgrade(path, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        before = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'predictions'").fetchone()
        connection.execute(
            "INSERT INTO predictions VALUES ('a', '2026-11-23 10:00:00.000000', 'gos', 1, ?, ?)",
            ("a" * 64, json.dumps(answer(2))),
        )
    upgrade(path, "0002")
    migrate(path, command.downgrade, "0001")
    with closing(sqlite3.connect(path)) as connection:
        assert (
            connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%feedback%'").fetchall() == []
        )
        assert len(connection.execute("SELECT * FROM predictions").fetchone()) == before[0].count(" NOT NULL")
        (document,) = connection.execute("SELECT document FROM predictions").fetchone()
    assert json.loads(document) == answer(2)
