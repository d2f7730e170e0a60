"""A PostgreSQL server may be restarted or gone for a while; its password is nobody's to read."""

import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from app.errors import MalformedRequestError, NotReadyError, StorageUnavailableError
from app.records import postgresql
from app.records.api_keys import ApiKeyRecords
from app.records.audit import AuditTrail, Deed
from app.records.database import START_LOCK, open_database
from app.records.postgresql import postgresql_engine
from app.records.predictions import PredictionRecords
from app.records.worklist import Page, Selection, Worklist
from tests.support.postgres import PASSWORD, SUPERUSER, Postgres
from tests.support.waiting import wait_until

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    opened = open_database(postgres_url, connections=2)
    yield opened
    opened.dispose()


def test_connections_that_a_restart_broke_are_replaced(engine: Engine, postgres: Postgres) -> None:
    records = PredictionRecords(engine)
    with engine.connect(), engine.connect():
        pass  # two of them wait in the pool
    postgres.stop()
    postgres.start()
    records.caller("absent")
    records.caller("absent")


def test_while_the_server_is_gone_that_is_said_and_afterwards_all_goes_on(
    engine: Engine, postgres: Postgres
) -> None:
    records = PredictionRecords(engine)
    postgres.stop()
    try:
        for _ in range(3):
            with pytest.raises(StorageUnavailableError) as raised:
                records.caller("absent")
            assert raised.value.fields["retry_after_s"] > 0
    finally:
        postgres.start()
    records.caller("absent")


def test_a_connection_that_breaks_in_the_middle_is_no_fault_of_the_program(
    engine: Engine, postgres: Postgres
) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        postgres.stop()
        postgres.start()
        with pytest.raises(StorageUnavailableError):
            connection.exec_driver_sql("SELECT 1")
    PredictionRecords(engine).caller("absent")


@pytest.mark.parametrize("wrong", ["user", "port", "database"])
def test_no_error_tells_the_password(postgres_url: str, postgres: Postgres, wrong: str) -> None:
    url = {
        "user": postgres_url.replace("neurofuse:", "somebody:"),
        "port": postgres_url.replace(f":{postgres.port}", ":1"),
        "database": postgres_url + "x",
    }[wrong]
    with pytest.raises(StorageUnavailableError) as raised:
        open_database(url)
    told = "".join(traceback.format_exception(raised.value))
    assert "127.0.0.1" in told  # the operator is told where, and why
    assert PASSWORD not in told


@pytest.mark.parametrize("parameter", ["ssl_mode=require", "ssl=true"])
def test_a_parameter_that_libpq_does_not_know_stops_the_start_and_is_explained(
    postgres_url: str, parameter: str
) -> None:
    with pytest.raises(NotReadyError, match="NEUROFUSE_DATABASE_URL") as raised:
        open_database(f"{postgres_url}?{parameter}")
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "hosts",
    [
        "127.0.0.1:5432,127.0.0.2:5432",
        "127.0.0.1:port",
        f"word:{PASSWORD}@127.0.0.1",  # a password in which `@` and `:` stand as they are
    ],
)
def test_a_url_that_cannot_be_read_stops_the_start_and_is_explained(hosts: str) -> None:
    with pytest.raises(NotReadyError, match="NEUROFUSE_DATABASE_URL") as raised:
        open_database(f"postgresql://{SUPERUSER}:{PASSWORD}@{hosts}/name")
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_of_several_servers_the_one_that_writes_is_found(postgres_url: str, postgres: Postgres) -> None:
    place = postgres_url.replace(f"127.0.0.1:{postgres.port}", "")
    engine = open_database(
        f"{place}?host=127.0.0.1,127.0.0.1&port=1,{postgres.port}&target_session_attrs=read-write"
    )
    PredictionRecords(engine).caller("absent")
    engine.dispose()


def test_no_representation_tells_the_password(engine: Engine) -> None:
    assert PASSWORD not in f"{engine!r} {engine.url} {engine.pool!r}"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_common_scheme_is_understood(postgres_url: str, scheme: str) -> None:
    engine = open_database(postgres_url.replace("postgresql", scheme))
    PredictionRecords(engine).caller("absent")
    engine.dispose()


def test_parameters_of_the_url_come_before_our_own(postgres_url: str) -> None:
    engine = postgresql_engine(f"{postgres_url}?application_name=mine", connections=1)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "mine"
    engine.dispose()


def test_the_server_lets_go_what_a_dead_machine_held(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1min"


def test_no_more_connections_are_opened_than_the_operator_gave(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.pool, "_timeout", 0.05)
    with engine.connect(), engine.connect(), pytest.raises(StorageUnavailableError):
        engine.connect()


def test_no_statement_stays_in_a_session_which_a_pooler_may_give_to_others(engine: Engine) -> None:
    with engine.connect() as connection:
        for _ in range(10):  # psycopg prepares what it is asked more than five times
            connection.exec_driver_sql("SELECT %s::int", (1,))
        prepared = connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements")
        assert prepared.scalar() == 0


def test_a_character_that_postgresql_cannot_keep_is_refused_as_such(engine: Engine) -> None:
    with pytest.raises(MalformedRequestError):
        PredictionRecords(engine).get("a\0b")
    with pytest.raises(MalformedRequestError):
        Worklist(engine).page(Selection(label="\0"), Page(1))


def test_the_pool_is_as_silent_as_the_library_that_it_is_of(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        engine = postgresql_engine(postgres_url, connections=1)  # it looks at levels when it is made
        engine.connect().close()
        engine.dispose()
    assert [record.name for record in caplog.records if not record.name.startswith("sqlalchemy")] == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_has_not_every_letter_stops_the_start(postgres: Postgres, encoding: str) -> None:
    name = f"test_{encoding.lower()}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
        )
    with pytest.raises(NotReadyError, match=f"it is in {encoding}"):
        open_database(postgres.url(name))


@pytest.mark.parametrize("usage", ["GRANT USAGE ON SCHEMA public TO", "REVOKE ALL ON SCHEMA public FROM"])
def test_a_role_that_may_make_no_tables_is_told_what_it_needs(postgres_url: str, usage: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"{usage} PUBLIC")
        connection.execute(f"CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'")
    try:
        with pytest.raises(StorageUnavailableError, match="own its database"):
            open_database(postgres_url.replace(SUPERUSER, "weak", 1))
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("DROP ROLE weak")


@pytest.mark.usefixtures("engine")  # which has made the tables
def test_a_right_that_is_taken_away_meanwhile_is_a_database_that_cannot_answer(postgres_url: str) -> None:
    """Told as any other: it has its line in the log, and the alert of a storage that is unavailable."""
    with psycopg.connect(postgres_url, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'")
        superuser.execute("GRANT USAGE ON SCHEMA public TO weak")
        superuser.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO weak")
        weak = open_database(postgres_url.replace(SUPERUSER, "weak", 1), connections=1)
        try:
            superuser.execute("REVOKE INSERT ON audit FROM weak")
            with capture_logs() as lines, pytest.raises(StorageUnavailableError) as raised:
                AuditTrail(weak).add(Deed("", "local", "GET /jobs"))
            assert raised.value.fields["retry_after_s"] > 0
            assert [(line["event"], line["error_type"]) for line in lines] == [
                ("database-unavailable", "42501")
            ]
            superuser.execute("GRANT INSERT ON audit TO weak")
            AuditTrail(weak).add(Deed("", "local", "GET /jobs"))
        finally:
            weak.dispose()
            superuser.execute("DROP OWNED BY weak; DROP ROLE weak")


def test_a_table_that_somebody_else_holds_is_not_waited_for_without_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "50ms")
    engine = open_database(postgres_url)
    keys = ApiKeyRecords(engine)
    with psycopg.connect(postgres_url) as administrator:
        administrator.execute("LOCK TABLE api_keys")
        with capture_logs() as lines, pytest.raises(StorageUnavailableError):
            keys.revoke("none", NOW)
    assert [line["error_type"] for line in lines] == ["55P03"]
    keys.revoke("none", NOW)
    engine.dispose()


def test_the_operators_own_time_for_locks_stays(postgres_url: str) -> None:
    found = []
    for url in (postgres_url, f"{postgres_url}?options=-c%20lock_timeout%3D3s"):
        engine = postgresql_engine(url, connections=1)
        with engine.connect() as connection:
            found.append(connection.exec_driver_sql("SHOW lock_timeout").scalar())
        engine.dispose()
    assert found == ["10s", "3s"]


def test_a_start_waits_as_long_as_another_one_changes_the_tables(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "1ms")
    waited = "SELECT 1 FROM pg_locks WHERE NOT granted AND now() - waitstart > interval '100 ms'"
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(postgres_url) as other,
        psycopg.connect(postgres_url, autocommit=True) as watching,
    ):
        other.execute(START_LOCK["postgresql"])
        starting = pool.submit(open_database, postgres_url)
        wait_until(lambda: starting.done() or watching.execute(waited).fetchone())
        other.rollback()
        starting.result().dispose()


def test_a_server_that_only_reads_is_unavailable_until_it_writes_again(
    engine: Engine, postgres_url: str
) -> None:
    keys = ApiKeyRecords(engine)
    keys.revoke("none", NOW)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            engine.dispose()  # connections that are there stay as they are
            for _ in range(2):
                with pytest.raises(StorageUnavailableError):
                    keys.revoke("none", NOW)
        finally:
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    keys.revoke("none", NOW)


@pytest.mark.parametrize("state", ["25P03", "40001", "40P01", "55P03", "58030"])
def test_what_the_server_takes_back_for_others_or_for_its_disk_is_unavailable(
    engine: Engine, state: str
) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
    with engine.connect() as connection, pytest.raises(StorageUnavailableError):
        connection.exec_driver_sql(raising)


def test_those_who_come_together_wait_for_each_other_whatever_isolation_the_database_has(
    postgres_url: str,
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        try:
            engine = open_database(postgres_url)
            trails = [AuditTrail(engine) for _ in range(4)]
            with ThreadPoolExecutor(len(trails)) as pool:
                list(pool.map(lambda number: trails[number % 4].add(Deed("me", "key", "test")), range(40)))
            assert trails[0].verify().lines == 40
            engine.dispose()
        finally:
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_isolation")
