"""Which sessions, accounts and API tokens were changed: asked of PostgreSQL, a few times a second at most, for a whole process.

Triggers write each such change down with it (migrations/versions/0018_access_changes.py), whoever makes it, so that none can be
forgotten. Why this is enough is in docs/decisions/0042-access-that-is-remembered.md.
"""

import threading
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, FetchedValue, Identity, Index, delete, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, rows_changed
from app.core.errors import AppError
from app.core.events import TransactionId
from app.core.uow import UnitOfWork

EARLY, LATEST = 0.4, 0.9
"""Seconds after which an answer is asked for again, and up to which it counts."""
LIFE = 300.0
"""Seconds for which anything is remembered; who has not asked for so long begins anew."""
MOST = 10_000
"""Changes that a process remembers; with more it forgets all that it knows of callers."""
KEPT = timedelta(days=1)
NEVER = float("-inf")
# xmin: whatever is older was over when this was asked, and seen if it was committed. One statement has one snapshot.
CHANGES = text(
    "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS oldest,"
    " pg_postmaster_start_time() AS server,"
    " ARRAY(SELECT subject FROM access_changes WHERE xid >= CAST(:since AS xid8) LIMIT :most) AS subjects"
)
NOTHING = 2**63 - 1
"""No transaction has this number."""


class AccessChange(Base):
    """One change of what decides who a caller is. Kept a day; the job ``access_changes.sweep`` deletes along ``created_at``.

    ``subject`` is the id of a session, an account or an API token; NULL says that it may be any.
    """

    __tablename__ = "access_changes"
    __table_args__ = (
        Index("ix_access_changes_xid", "xid"),
        Index("ix_access_changes_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(TransactionId, server_default=FetchedValue())
    subject: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AccessWatch:
    """One per process, for all its threads, of which none waits for another.

    Args:
        uow: of the primary, which alone knows of all commits.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._lock = threading.Lock()
        self._as_of = self._doubt_until = NEVER
        self._since: tuple[int, datetime] | None = None
        self._everything = NEVER
        self._changed: dict[UUID, float] = {}

    def stands(self, born: float, subjects: Collection[UUID]) -> bool:
        """Whether what was read at that moment of the monotonic clock was still true less than a second ago. Raises: as ``current``."""
        if not self.current() or born <= self._everything:
            return False
        return all(born > self._changed.get(each, NEVER) for each in subjects)

    def current(self) -> bool:
        """Whether all that was committed up to ``LATEST`` seconds ago is known here; finds out where it is time to.

        Raises:
            AppError: it would have to, and PostgreSQL does not answer: who waited for that in vain need not wait once more.
        """
        now = time.monotonic()
        age = now - self._as_of
        if age < EARLY or (age < LATEST and not self._uow.has_room):
            return True
        if now >= self._doubt_until and self._lock.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._lock.release()
        return time.monotonic() - self._as_of < LATEST

    def catch_up(self) -> None:
        """Before something is read after a long time: the first answer would take it for old. Raises: as ``current``."""
        if time.monotonic() - self._as_of > LIFE:
            self.current()

    def note(self, subject: UUID | None) -> None:
        """A change that this process has committed, or heard of. Args: subject: of ``AccessChange``."""
        if subject is None or len(self._changed) >= MOST:
            self._everything = time.monotonic()
            self._changed = {}
        else:
            self._changed[subject] = time.monotonic()

    def after_commit(self, subject: UUID | None) -> None:
        """Let this process know of a change as soon as it is committed; the others find out. Args: as of ``note``."""
        self._uow.after_commit(self.note, subject)

    def _ask(self) -> None:
        asked_at = time.monotonic()
        try:
            with self._uow.reading():
                since = str(self._since[0] if self._since else NOTHING)
                row = self._uow.session.execute(CHANGES, {"since": since, "most": MOST}).one()
        except AppError:
            self._doubt_until = time.monotonic() + EARLY
            if time.monotonic() - self._as_of < LATEST:
                return
            raise
        now = (row.oldest, row.server)
        if self._missed_some(now, asked_at) or len(row.subjects) >= MOST:
            self.note(None)
        else:
            for subject in row.subjects:
                self.note(subject)
        self._since, self._as_of = now, asked_at

    def _missed_some(self, now: tuple[int, datetime], asked_at: float) -> bool:
        """Another life of the server may have lost transactions, and given their numbers to others."""
        if self._since is None or asked_at - self._as_of > LIFE:
            return True
        return now[1] != self._since[1] or now[0] < self._since[0]


class AccessChanges:
    """The rows themselves, for who sweeps."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def sweep(self) -> int:
        """Delete what every process has long heard of, a day old by the server's clock; the answer is how many."""
        old = AccessChange.created_at < func.clock_timestamp() - KEPT
        return rows_changed(self._uow.session, delete(AccessChange).where(old))
