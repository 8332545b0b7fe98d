"""The database: declarative base, engines with bounded waits, and what they tell the metrics."""

import time
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from psycopg2 import extensions
from sqlalchemy import Connection, CursorResult, Engine, Executable, MetaData, create_engine, event, exc
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from app.config import Settings
from app.core.metrics import POOL_IN_USE, POOL_WAIT
from app.core.round_trips import Link
from app.core.telemetry import request_stats

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
IDLE_BEFORE_PING = 1.0


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


def rows_changed(session: Session, statement: Executable) -> int:
    """Run an UPDATE or DELETE; the answer is how many rows it met."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


class MeasuredPool(QueuePool):
    """Tells the metrics how many are lent and how long each borrower waited, those who got nothing included."""

    def connect(self) -> PoolProxiedConnection:
        """A connection: an idle one (after a look whether it lives), a new one, or whichever comes back in time."""
        started = time.perf_counter()
        try:
            return super().connect()
        finally:
            POOL_WAIT.observe(time.perf_counter() - started)
            POOL_IN_USE.set(self.checkedout())

    @property
    def has_room(self) -> bool:
        """Whether a borrower would get a connection without waiting for another one to give theirs back."""
        return self.checkedout() < self.size() + self._max_overflow

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        POOL_IN_USE.set(self.checkedout())


def make_engine(settings: Settings, url: str | None = None, **options: Any) -> Engine:
    """A pool whose every wait ends (REL-02); it opens no connection before the first use (trap T21).

    Args:
        settings: sizes and time limits.
        url: another database than ``DATABASE_URL``.
        options: passed to ``create_engine``.
    """
    server_options = (
        f"-c statement_timeout={settings.db_statement_timeout_ms} -c lock_timeout={settings.db_lock_timeout_ms} "
        "-c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
    )
    pool = {
        "poolclass": MeasuredPool,
        "pool_size": settings.pool_size,
        "max_overflow": settings.db_max_overflow,
        "pool_timeout": settings.db_pool_timeout_seconds,
        "pool_use_lifo": True,
    }
    engine = create_engine(
        url or settings.database_url.get_secret_value(),
        connect_args={
            "connection_factory": Link, "options": server_options, "connect_timeout": 2, "application_name": "holdfast",
            "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 5000,
        },
        hide_parameters=True,  # an error of the driver is logged with its statement, never with what people sent
        **{**pool, **options},
    )  # fmt: skip
    _ping_when_idle(engine)
    _read_ids_once(engine)
    _count_queries(engine)
    return engine


def reading(engine: Engine) -> Engine:
    """The same pool in autocommit: a lone SELECT then costs one round trip instead of three.

    The connection is told by its own attribute, which says nothing to the server. SQLAlchemy's option would name a level when
    the connection goes back, and psycopg2 would tell the server in a round trip of its own before the next statement.
    """
    reader = engine.execution_options()

    @event.listens_for(reader, "engine_connect")
    def begin_nothing(conn: Connection) -> None:
        link_of(conn).begins = False

    return reader


def link_of(conn: Connection) -> Link:
    """The driver's connection."""
    return cast("Link", conn.connection.dbapi_connection)


IDS_KEPT = 16_384
_id_of = lru_cache(IDS_KEPT)(UUID)
UUIDS = extensions.new_type((2950,), "UUID", lambda text, _cursor: None if text is None else _id_of(text))
"""The same ids come again and again, and the standard library takes longer to read one than to look it up."""


def _read_ids_once(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def register(dbapi: Any, _record: Any) -> None:
        extensions.register_type(UUIDS, dbapi)


def _ping_when_idle(engine: Engine) -> None:
    """Look whether a connection still lives, but only when it has rested: busy ones need no extra round trip."""

    @event.listens_for(engine, "checkin")
    def remember(dbapi: Any, record: Any) -> None:
        if dbapi is not None and not dbapi.closed:
            dbapi.begin_as_usual()
        record.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(dbapi: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rested_since", time.monotonic()) < IDLE_BEFORE_PING:
            return
        try:
            with dbapi.cursor() as cursor:
                cursor.send("SELECT 1")
        except Exception as error:
            raise exc.DisconnectionError from error


def _count_queries(engine: Engine) -> None:
    """Count and time the statements of the current request, for its log line."""

    @event.listens_for(engine, "before_cursor_execute")
    def start(conn: Connection, *_args: Any) -> None:
        conn.info["started"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def stop(conn: Connection, *_args: Any) -> None:
        request_stats().query(time.perf_counter() - conn.info["started"])
