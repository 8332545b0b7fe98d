"""A connection that spares round trips: BEGIN goes with the first statement, and what may wait with the last.

psycopg2 sends BEGIN and COMMIT each alone. To the server a message of several statements is as good as several messages: it
runs them in their order, and the first that fails ends the message and the transaction (PostgreSQL, "Simple Query"). The driver
tells what the last of them answered; so nobody can wait whose answer is looked at.
"""

import time
from typing import Any

import psycopg2
from psycopg2 import extensions

from app.core.telemetry import request_stats

IDLE = extensions.TRANSACTION_STATUS_IDLE
NOT_AS_PREPARED = {"26000", "0A000", "42P05"}
"""Of SQLSTATE: gone, its table has changed since, or there already: behind a PgBouncer that deals statements to several servers."""
BEGIN, COMMIT, BREAK = b"BEGIN", b"COMMIT", b"; "


class Link(extensions.connection):
    """To the driver it is in autocommit, except where SQLAlchemy asks for an isolation level; transactions are made here.

    Attributes:
        begins: whether a statement begins a transaction where there is none, as PEP 249 has it.
        prepared: names of what is prepared on it; ``None`` where it does not keep that.
        lost: whether a message failed as a whole, with the BEGIN and the writes in it. There is no transaction then that the server
            would hold to be failed, so it is refused here until ``rollback``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory: type[Cursor] = Cursor
        self.prepared: set[str] | None = set()
        self._waiting: list[bytes] = []
        self.lost = False
        self.begin_as_usual()

    def begin_as_usual(self) -> None:
        """As it is when it comes new from the server, or back to the pool."""
        self.begins, self.lost = True, False
        if not self.autocommit:
            self.autocommit = True

    def later(self, statement: bytes) -> None:
        """Send it with whatever comes next, at the latest with COMMIT. Args: statement: with its values, without an answer."""
        self._waiting.append(statement)

    def refuse_if_lost(self) -> None:
        """Raises: psycopg2.errors.InFailedSqlTransaction: what began this transaction never reached it."""
        if self.lost:
            raise psycopg2.errors.InFailedSqlTransaction("a statement of this transaction had failed")

    @property
    def has_waiting(self) -> bool:
        """Whether a write has not been sent yet."""
        return bool(self._waiting)

    @property
    def holds_back(self) -> bool:
        """Whether something has to be sent before the next statement."""
        return bool(self._waiting) or self._is_to_begin

    def ahead(self) -> list[bytes]:
        """That, taken out: BEGIN, and all that waits."""
        waiting, self._waiting = self._waiting, []
        return [BEGIN, *waiting] if self._is_to_begin else waiting

    @property
    def _is_to_begin(self) -> bool:
        return self.begins and self.autocommit and self.get_transaction_status() == IDLE

    def commit(self) -> None:
        """Commit, with all that waits; where nothing was begun, nothing is sent.

        Raises:
            psycopg2.errors.InFailedSqlTransaction: where the server only rolled back, because a statement had failed before.
        """
        self.refuse_if_lost()
        if not self._waiting and self.get_transaction_status() == IDLE:
            return
        if self.autocommit:
            if self._run([*self.ahead(), COMMIT]) != "COMMIT":
                raise psycopg2.errors.InFailedSqlTransaction("a statement of this transaction had failed")
            return
        if self._waiting:
            self._run(self.ahead())
        super().commit()

    def rollback(self) -> None:
        """Undo what was sent, and forget what waits."""
        self._waiting.clear()
        self.lost = False
        if not self.autocommit or self.closed:
            super().rollback()
        elif self.get_transaction_status() != IDLE:
            self._run([b"ROLLBACK"])

    def _run(self, statements: list[bytes]) -> str | None:
        """What the server says it did last; the log line counts the time."""
        started = time.perf_counter()
        with self.cursor(cursor_factory=Cursor) as cursor:
            cursor.send(BREAK.join(statements))
        request_stats().db_seconds += time.perf_counter() - started
        return cursor.statusmessage


class Cursor(extensions.cursor):
    """Sends what is to go ahead in the message of the statement itself."""

    connection: Link

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name for it
        link = self.connection
        link.refuse_if_lost()
        if not link.holds_back:
            self.send(query, vars)
            return
        own = self.mogrify(query, vars)
        self._send_with(link.ahead(), own)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """The driver runs it again and again by itself; what is to go ahead goes alone."""
        self.connection.refuse_if_lost()
        if self.connection.holds_back:
            self._send_with(self.connection.ahead())
        super().executemany(query, vars_list)

    def _send_with(self, ahead: list[bytes], *own: bytes) -> None:
        try:
            self.send(BREAK.join([*ahead, *own]))
        except BaseException:
            link = self.connection
            link.lost = not link.closed and link.begins and link.get_transaction_status() == IDLE
            raise

    def send(self, query: Any, values: Any = None) -> None:
        """Send it as it is; where the connection turns out not to keep what is prepared, nothing more is prepared on it."""
        try:
            super().execute(query, values)
        except psycopg2.Error as error:
            if error.pgcode in NOT_AS_PREPARED:
                self.connection.prepared = None
            raise
