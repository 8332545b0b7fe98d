"""What one block of the unit of work has: its connection, a session where somebody asked for one, its hooks."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.commit_hooks import CommitHooks
from app.core.db import link_of
from app.core.telemetry import log

logger = log(__name__)


class State:
    """Args: engine: what the session, or a connection without one, is made of when it is first asked for."""

    def __init__(self, engine: Engine, *, writes: bool) -> None:
        self._engine = engine
        self._session: Session | None = None
        self._connection: Connection | None = None
        self.writes = writes
        self.depth = 0
        self.doomed = False
        self.hooks = CommitHooks()
        self.items = 0
        self.touched: set[UUID] = set()

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session(self._connection or self._engine, expire_on_commit=False)
        return self._session

    def knows(self, key: Any) -> bool:
        """Whether there is a session that holds the row. Args: key: an identity key."""
        return self._session is not None and key in self._session.identity_map

    @property
    def connection(self) -> Connection:
        """The session's, with all that it has to write; where there is none yet, one without it."""
        if self._session is not None:
            self._session.flush()
            return self._session.connection()  # by its own way, which makes the savepoint of an item
        if self._connection is None:
            self._connection = self._engine.connect()
            if self.writes:
                self._connection.begin()
        return self._connection

    def send_waiting(self) -> None:
        """Have written what waits, so that its failure is this block's and no item's."""
        if link_of(self.connection).has_waiting:
            self.connection.exec_driver_sql("SELECT 1")

    def commit(self) -> None:
        """Write what the session has to write, and commit; one that came after the connection has joined its transaction."""
        if self._session is not None:
            self._session.commit()
        if self._connection is not None:
            self._connection.commit()

    def roll_back(self) -> None:
        """Undo what the block did; where the connection is gone the server has done it, and the block's own error counts."""
        try:
            if self._session is not None:
                # A refusal may show the row as it is now; a rollback would empty rows that still belong to the session.
                self._session.expunge_all()
                self._session.rollback()
            if self._connection is not None:
                self._connection.rollback()
        except DBAPIError as error:
            logger.warning("rollback_failed", error=type(error).__name__)

    def invalidate(self) -> None:
        """Let nobody have the connection again."""
        if self._connection is not None:
            self._connection.invalidate()
        elif self._session is not None:
            self._session.invalidate()

    def close(self) -> None:
        """Give the connection back; one that only reads may go on afterwards."""
        session, connection, self._session, self._connection = self._session, self._connection, None, None
        if session is not None:
            session.close()
        if connection is not None:
            connection.close()
