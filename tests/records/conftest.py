"""Every test of records that asks for a place runs on SQLite, and on a real PostgreSQL server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine

from app.records.database import open_database
from tests.support.postgres import Postgres
from tests.support.records import tables_at

Place = Path | str
KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def new_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Place]:
    """Makes an empty database of a kind; the server is started when it is first needed."""

    def make(kind: str) -> Place:
        if kind == "sqlite":
            return tmp_path_factory.mktemp("records") / "records.sqlite3"
        return cast("Postgres", request.getfixturevalue("postgres")).make_database()

    return make


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database."""
    if request.param == "sqlite":
        return tmp_path / "records.sqlite3"
    return cast("str", request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    """An empty database, opened."""
    opened = open_database(tables_at(place) if isinstance(place, Path) else place)
    yield opened
    opened.dispose()
