"""Which server answers a read, and what becomes of the read when that one fails (REL-07)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.metrics import replica_reads
from app.core.replicas.marks import WriteMarks, asker
from app.core.replicas.server import Replica, State
from app.core.telemetry import log

logger = log(__name__)
Found = TypeVar("Found")
PRIMARY = "primary"
# What is committed has reached the disk, unless somebody told PostgreSQL not to wait for it.
POSITION = (
    "SELECT pg_wal_lsn_diff(CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()"
    " ELSE pg_current_wal_flush_lsn() END, '0/0')::bigint"
)
NOWHERE = 2**62
"""A position that no replica ever reaches."""


class ReplicaReads:
    """What a unit of work uses, where there are replicas.

    Args:
        servers: in turn.
        primary: in autocommit.
    """

    def __init__(self, servers: Sequence[Replica], primary: Engine, marks: WriteMarks) -> None:
        self.servers = servers
        self._primary = primary
        self._marks = marks
        self._turn = count()

    def states(self) -> dict[str, State]:
        """What is known of each, by name; from now on they are looked at."""
        for server in self.servers:
            server.watch()
        return {server.name: server.state for server in self.servers}

    def read(
        self,
        load: Callable[[], Found],
        about: Collection[UUID],
        holds: Callable[[Found], bool],
        session_on: Callable[[Engine], AbstractContextManager[None]],
    ) -> Found:
        """What ``load`` reads, from a replica or the primary; see ``UnitOfWork.lately``.

        Args:
            session_on: makes another server's session the current one for a while.
        """
        server = self._choose(about)
        if server is None:
            return load()
        try:
            with session_on(server.reader):
                found = load()
        except SQLAlchemyError as error:
            # Once more, whatever it was: a conflict with the replay, a migration that has not arrived, a server that died.
            logger.info("replica_read_failed", replica=server.name, error=type(error).__name__)
            server.failed(error)
            return self._from_primary("failed", load)
        if not holds(found):
            return self._from_primary("not_confirmed", load)
        replica_reads(server.name, "in_step").inc()
        return found

    def wrote(self, ids: Collection[UUID]) -> None:
        """A transaction was committed that is about these, and by whoever sent the request."""
        asks = asker.get()
        noted = {*ids, asks.account_id} if asks else set(ids)
        if noted:
            self._marks.put(noted, self._position())

    def _position(self) -> int:
        try:
            with self._primary.connect() as connection:
                return int(connection.execute(text(POSITION)).scalar_one())
        except SQLAlchemyError:
            return NOWHERE

    def _choose(self, about: Collection[UUID]) -> Replica | None:
        """A replica that has replayed what the caller wrote, and what anybody wrote about these; ``None`` for the primary."""
        asks = asker.get()
        if asks is None or not asks.only_reads:
            return None
        for server in self.servers:
            server.watch()
        known = [(server, server.state) for server in self.servers]
        rotation = [(server, state.replayed) for server, state in known if not state.fault]
        if not rotation:
            _told("no_replica")
            return None
        needed = self._marks.furthest([asks.account_id, *about])
        if needed is None:
            _told("redis_away")
            return None
        able = [server for server, replayed in rotation if replayed >= needed]
        if not able:
            _told("behind")
            return None
        return able[next(self._turn) % len(able)]

    def _from_primary(self, why: str, load: Callable[[], Found]) -> Found:
        _told(why)
        return load()

    def close(self) -> None:
        for server in self.servers:
            server.close()


def _told(why: str) -> None:
    replica_reads(PRIMARY, why).inc()
