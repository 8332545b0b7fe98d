"""The pool: bounded waits, connections that died while resting, counted statements."""

from uuid import UUID

import pytest
from sqlalchemy import text

from app.core import db
from app.core.db import make_engine, reading
from app.core.telemetry import request_stats, start_request


@pytest.fixture
def engine(parts):
    made = make_engine(parts.settings.model_copy(update={"db_pool_size": 2, "db_max_overflow": 0}))
    yield made
    made.dispose()


def backend(connection):
    return connection.connection.dbapi_connection.info.backend_pid


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("TimeZone", "UTC"),
        ("application_name", "holdfast"),
    ],
)
def test_every_wait_of_the_server_ends(engine, name, value):
    """REL-02: what holds on the connection, not what was asked for."""
    with engine.connect() as connection:
        assert connection.execute(text(f"SHOW {name}")).scalar_one() == value


def test_every_wait_for_the_server_ends(engine):
    """REL-02: a server that does not answer is given up."""
    with engine.connect() as connection:
        asked = connection.connection.dbapi_connection.info.dsn_parameters
    expected = {"connect_timeout": "2", "tcp_user_timeout": "5000", "keepalives_idle": "5"}
    assert expected.items() <= asked.items()
    assert engine.pool.timeout() == 2.0


def test_no_connection_is_opened_before_the_first_use(engine):
    """Trap T21: an engine made before a fork must hold none."""
    assert engine.pool.checkedin() == engine.pool.checkedout() == 0


def test_reading_shares_the_pool_and_holds_no_transaction(engine, connect):
    reader = reading(engine)
    assert reader.pool is engine.pool
    with reader.connect() as connection, connect().cursor() as cursor:
        connection.execute(text("SELECT 1"))
        cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (backend(connection),))
        assert cursor.fetchone() == ("idle",)


def test_a_connection_that_was_read_with_writes_again(engine):
    """The pool takes autocommit off when it comes back."""
    with reading(engine).connect() as connection:
        first = backend(connection)
    with engine.connect() as connection:
        assert backend(connection) == first
        assert connection.connection.dbapi_connection.begins is True


@pytest.mark.parametrize("many", [1, 2])
def test_connections_that_died_while_they_rested_are_replaced_unseen(engine, connect, monkeypatch, many):
    """Drill D3: every pooled backend was ended, and no caller sees an error."""
    monkeypatch.setattr(db, "IDLE_BEFORE_PING", 0.0)
    opened = [engine.connect() for _ in range(many)]
    pids = [backend(connection) for connection in opened]
    for connection in opened:
        connection.close()
    with connect().cursor() as cursor:
        cursor.execute("SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM unnest(%s) AS pid", (pids,))
        assert cursor.fetchone() == (True,)
    for _ in range(many + 1):
        for kind in (engine, reading(engine)):
            with kind.connect() as connection:
                assert connection.execute(text("SELECT 1")).scalar_one() == 1
                assert backend(connection) not in pids


def test_a_busy_connection_is_not_pinged(engine, connect):
    """Only what rested a second is asked whether it lives: a hot pool pays no extra round trip."""
    with engine.connect() as connection:
        pid = backend(connection)
    with engine.connect() as connection, connect().cursor() as cursor:
        assert backend(connection) == pid
        cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (pid,))
        assert cursor.fetchone() == ("idle",)


def test_a_ping_leaves_no_transaction_behind(engine, connect, monkeypatch):
    monkeypatch.setattr(db, "IDLE_BEFORE_PING", 0.0)
    for kind in (engine, reading(engine), engine):
        with kind.connect() as connection, connect().cursor() as cursor:
            cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (backend(connection),))
            assert cursor.fetchone() == ("idle",)


def test_statements_are_counted_for_the_log_line(engine):
    stats = start_request(None)
    with engine.connect() as connection:
        for _ in range(3):
            connection.execute(text("SELECT 1"))
    assert stats.db_queries == 3
    assert stats.db_seconds > 0
    assert request_stats() is stats


def test_every_constraint_and_index_has_a_name():
    """The naming convention: a migration must be able to speak of each."""
    for table in db.Base.metadata.tables.values():
        assert all(thing.name for thing in (*table.constraints, *table.indexes)), table.name


def test_an_id_is_read_once_and_is_the_same_for_all(uow):
    """Ids come as the standard library reads them, nothing as nothing, and lists of them as before."""
    some = "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"
    with uow.reading():
        asked = text(f"SELECT '{some}'::uuid AS one, NULL::uuid AS none, ARRAY['{some}'::uuid] AS many")
        first, second = (uow.session.execute(asked).one() for _ in range(2))
    assert first == (UUID(some), None, [UUID(some)])
    assert first.one is second.one
