"""Where a client stands in its feed, as the ``next_cursor`` that it keeps.

    form 1 byte | database 8 bytes | project 16 bytes | snapshots

A cursor is live (the snapshot up to which the client has everything), or in the middle of a first copy, or in the middle
of a batch of changes; only the latter two have a project, the last one that was told.
"""

from dataclasses import dataclass
from uuid import UUID

from app.changes.snapshots import Snapshot, unpacked
from app.core.access import Actor
from app.core.errors import AppError, Code
from app.core.pagination import TAG_BYTES, Cursors, query_scope

LONGEST = 3_000
"""Letters of a cursor; with the longest ``limit`` the address stays well below the 4,094 that it may have."""
HEAD = 1 + 8 + 16
KEY_ID = 16
SNAPSHOT_BYTES = ((LONGEST - KEY_ID - 1) * 3 // 4 - TAG_BYTES - HEAD) // 2
"""Room for one of two snapshots: 500 transactions that are open at once, and 1,000 when they began close together."""
NOWHERE = UUID(int=0)
FORMS = LIVE, COPY, BATCH, OPEN_BATCH = range(1, 5)


@dataclass(frozen=True)
class Position:
    """How far a client got.

    Attributes:
        database: which one the numbers of the snapshots belong to, 8 bytes.
        since: the client has everything up to here; None while it copies for the first time.
        upto: where it stands once the pages that it reads now have ended; None when it reads none.
        after: the last project of the page before, with ``upto``.
        closed: whether the pages that follow tell only what had happened by ``upto``. Where ``upto`` had to be made
            earlier to fit into a cursor they tell more, which comes once more afterwards.
    """

    database: bytes
    since: Snapshot | None = None
    upto: Snapshot | None = None
    after: UUID = NOWHERE
    closed: bool = True

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(filter(None, (self.since, self.upto)))


class ChangeCursors:
    """Args: cursors: keys of the purpose ``cursor``."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def encode(self, actor: Actor, position: Position) -> str:
        """The position, sealed, for this person alone."""
        place = bytes((_form(position),)) + position.database + position.after.bytes
        snapshots = b"".join(snapshot.packed() for snapshot in position.snapshots)
        return self._cursors.seal(_scope(actor), place + snapshots)

    def decode(self, actor: Actor, cursor: str) -> Position:
        """The position.

        Raises:
            AppError: ``invalid_cursor`` for a forged one or somebody else's, ``resync_required`` for one of a form
                that this release does not know.
        """
        data = self._cursors.open(_scope(actor), cursor, "since")
        form, database, after = data[0], data[1:9], UUID(bytes=data[9:HEAD])
        if form not in FORMS:
            raise AppError(Code.resync_required, "This cursor was made by another release. Begin without it.")
        numbers = unpacked(data[HEAD:])
        since = None if form == COPY else Snapshot.unpack(numbers)
        upto = None if form == LIVE else Snapshot.unpack(numbers)
        return Position(database, since, upto, after, closed=form != OPEN_BATCH)


def _form(position: Position) -> int:
    if position.upto is None:
        return LIVE
    if position.since is None:
        return COPY
    return BATCH if position.closed else OPEN_BATCH


def _scope(actor: Actor) -> bytes:
    return query_scope("changes", actor.user_id)
