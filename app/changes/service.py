"""How a client stays in step: what changed for somebody since they last asked."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.changes.cursors import SNAPSHOT_BYTES, ChangeCursors, Position
from app.changes.repository import Batch, ChangeRepository
from app.changes.snapshots import Snapshot
from app.changes.views import ChangeView
from app.core.access import Actor
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.metrics import CHANGES_LATE, CHANGES_SPAN
from app.core.pagination import Page
from app.core.uow import UnitOfWork

KEPT_DAYS = 30
MARGIN = timedelta(hours=1)
"""By so much a cursor ends sooner than the events after it are swept: clocks differ, and a sweep may run early."""


class ChangeService:
    """Args: retention_days: how long events are kept."""

    def __init__(
        self,
        uow: UnitOfWork,
        changes: ChangeRepository,
        cursors: ChangeCursors,
        clock: Clock,
        retention_days: int,
    ) -> None:
        self._uow = uow
        self._changes = changes
        self._cursors = cursors
        self._clock = clock
        self._kept = timedelta(days=min(KEPT_DAYS, retention_days)) - MARGIN

    def page(self, actor: Actor, since: str | None, limit: int) -> Page[ChangeView]:
        """What changed for the caller, each project once as it is now; without ``since`` everything they may see.

        A cursor is a snapshot. What is new are the events of transactions that had not ended in it, whatever their
        numbers: nothing is stepped over however late a transaction commits, and nobody waits for one that stays open.

        Raises:
            AppError: ``invalid_cursor``, ``resync_required``.
        """
        now = self._clock.now()
        asked = self._cursors.decode(actor, since) if since is not None else None
        if asked is not None and any(now - known.taken_at > self._kept for known in asked.snapshots):
            raise _resync("This cursor is older than what is kept.")
        with self._uow.reading():
            found = self._found(actor, asked, limit + 1, now)
        if asked is not None:
            _ensure_of_this_database(asked, found)
        _measure(asked, found)
        shown = found.changes[:limit]
        reached = _reached(asked, found)
        more = len(found.changes) > limit
        position = (
            replace(reached, after=shown[-1].id) if more else Position(found.database, since=reached.upto)
        )
        return Page(shown, self._cursors.encode(actor, position), more)

    def _found(self, actor: Actor, asked: Position | None, most: int, now: datetime) -> Batch:
        asked = asked or Position(b"")
        if asked.since is None:
            return self._changes.present(actor.user_id, asked.after, most, now)
        upto = asked.upto if asked.closed else None
        return self._changes.changed(actor.user_id, asked.since, upto, asked.after, most, now)


def _reached(asked: Position | None, found: Batch) -> Position:
    """Where the client stands after this page, if another one follows."""
    if asked is not None and asked.upto is not None:
        return asked
    # Numbers above the newest event's mean nothing to the client, and some of them may not have reached the disk:
    # after a crash they would be given out again, to transactions that must not pass for known.
    seen = found.snapshot.before(found.newest + 1)
    kept = seen.fitted(SNAPSHOT_BYTES)
    return Position(found.database, asked.since if asked else None, kept, closed=kept == seen)


def _ensure_of_this_database(asked: Position, found: Batch) -> None:
    ahead = any(known.xmax > found.snapshot.xmax for known in asked.snapshots)
    if asked.database != found.database or ahead:
        raise _resync("This cursor is of another database, or of this one before it was restored.")


def _resync(why: str) -> AppError:
    return AppError(Code.resync_required, f"{why} Begin without it, and replace what you have.")


def _measure(asked: Position | None, found: Batch) -> None:
    """How far apart open transactions are, and how late a change came that was made before the client last asked."""
    CHANGES_SPAN.set(found.snapshot.xmax - found.snapshot.xmin)
    known: Snapshot | None = asked.since if asked and asked.upto is None else None
    if known and found.changes:
        late = known.taken_at - min(change.changed_at for change in found.changes)
        CHANGES_LATE.observe(max(0.0, late.total_seconds()))
