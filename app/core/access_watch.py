"""Which sessions, accounts and API tokens were changed: asked of PostgreSQL, a few times a second at most, for a whole process.

Triggers write each such change down with it (migrations/versions/0018_access_changes.py), whoever makes it, so that none can be
forgotten. Why this is enough is in docs/decisions/0042-access-that-is-remembered.md.
"""

import threading
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, FetchedValue, Identity, Index, delete, func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, rows_changed
from app.core.errors import AppError
from app.core.events import TransactionId
from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
EARLY, LATEST = 0.4, 0.9
"""Seconds after which an answer is asked for again, and up to which it counts."""
LIFE = 300.0
"""Seconds for which anything is remembered; who has not asked for so long begins anew."""
MOST = 10_000
"""Changes that a process remembers; with more it forgets all that it knows of callers."""
KEPT = timedelta(days=1)
NEVER = float("-inf")
# One statement has one snapshot. Told of is what that of the last answer did not show; by its xmin an index can be read. A server that
# broke down gives numbers again that it had not written down; ids it does not, of what was seen. Numbers beyond xmax came with a restore.
CHANGES = text(
    "SELECT CAST(now AS text) AS snapshot, CAST(CAST(pg_snapshot_xmin(now) AS text) AS bigint) AS oldest,"
    " extract(epoch FROM clock_timestamp())::float AS moment,"
    " (SELECT coalesce(max(id), 0) FROM access_changes) AS newest,"
    " concat_ws(' ', pg_postmaster_start_time(), (SELECT oid FROM pg_database WHERE datname = current_database()),"
    " to_regclass('access_changes')::oid, (SELECT database_id FROM system_state)) AS server,"
    " ARRAY(SELECT subject FROM access_changes WHERE (xid >= pg_snapshot_xmin(CAST(:before AS pg_snapshot))"
    " AND NOT pg_visible_in_snapshot(xid, CAST(:before AS pg_snapshot)) AND xid < pg_snapshot_xmax(now))"
    " OR id > :newest LIMIT :most) AS subjects"
    " FROM pg_current_snapshot() AS now"
)
UNKNOWN = 2**63 - 1
"""No transaction and no row has this number."""


class Answer(NamedTuple):
    """What PostgreSQL said last.

    Attributes:
        snapshot: what it was true of.
        oldest: number of a transaction, below which all were over.
        newest: id of a row.
        moment: by the server's clock, in seconds; ours may stand still while this machine sleeps.
        server: its life, and which database.
    """

    snapshot: str
    oldest: int
    newest: int
    moment: float
    server: str


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
        self._asking, self._noting = threading.Lock(), threading.Lock()
        self._as_of = self._doubt_until = NEVER
        self._answer: Answer | None = None
        self._failing = False
        # Since when nothing of before counts: of everybody, and of each subject. Replaced as a whole, never emptied.
        self._marks: tuple[float, dict[UUID, float]] = (NEVER, {})

    @property
    def sees_commits_only(self) -> bool:
        """Whether what this thread reads now was committed; a block of its own may yet be undone."""
        return not self._uow.active

    def stands(self, born: float, subjects: Collection[UUID]) -> bool:
        """Whether what was read at that moment of the monotonic clock was still true less than a second ago."""
        if not self.current():
            return False
        everybody, each = self._marks
        return born > everybody and all(born > each.get(subject, NEVER) for subject in subjects)

    def current(self) -> bool:
        """Whether all that was committed up to ``LATEST`` seconds ago is known here; finds out where it is time to.

        Where all connections are in use nobody waits for one to find out, as long as the last answer counts. In a block of writes it
        is not found out: what that has not committed nobody else has seen.

        Raises:
            AppError: a connection was waited for in vain; whoever did need not wait for another one.
        """
        now = time.monotonic()
        age = now - self._as_of
        if age < EARLY:
            return True
        at_once = self._uow.has_room
        worth_it = now >= self._doubt_until and not self._uow.active and (at_once or age >= LATEST)
        if worth_it and self._asking.acquire(blocking=False):
            try:
                self._ask(at_once=at_once)
            finally:
                self._asking.release()
        return time.monotonic() - self._as_of < LATEST

    def catch_up(self) -> None:
        """Before something is read after a long time: the first answer would take it for old."""
        if time.monotonic() - self._as_of > LIFE:
            self.current()

    def note(self, subject: UUID | None) -> None:
        """A change that this process has committed, or heard of. Args: subject: of ``AccessChange``."""
        with self._noting:
            now, (_everybody, each) = time.monotonic(), self._marks
            if subject is None or (len(each) >= MOST and subject not in each):
                self._marks = (now, {})
            else:
                each[subject] = now

    def after_commit(self, subject: UUID | None) -> None:
        """Let this process know of a change as soon as it is committed; the others find out. Args: as of ``note``."""
        self._uow.after_commit(self.note, subject)

    def _ask(self, *, at_once: bool) -> None:
        asked_at, before = time.monotonic(), self._answer
        seen = before.snapshot if before else f"{UNKNOWN}:{UNKNOWN}:"
        given = {"before": seen, "newest": before.newest if before else UNKNOWN, "most": MOST}
        try:
            with self._uow.reading():
                row = self._uow.session.execute(CHANGES, given).one()
        except (AppError, SQLAlchemyError) as error:
            self._doubt_until = time.monotonic() + EARLY
            if not self._failing:  # else two or three lines a second
                logger.warning("access_changes_not_read", error=type(error).__name__)
            self._failing = True
            if at_once:
                return
            raise
        if self._failing:
            logger.info("access_changes_read_again")
        self._failing = False
        now = Answer(row.snapshot, row.oldest, row.newest, row.moment, row.server)
        if before is None or self._missed_some(before, now, asked_at) or len(row.subjects) >= MOST:
            self.note(None)
        else:
            for subject in row.subjects:
                self.note(subject)
        self._answer, self._as_of = now, asked_at

    def _missed_some(self, before: Answer, now: Answer, asked_at: float) -> bool:
        """Another life of the server may have lost transactions, and given their numbers to others; rows may have been swept."""
        if max(asked_at - self._as_of, now.moment - before.moment) > LIFE or now.server != before.server:
            return True
        return now.oldest < before.oldest or now.newest < before.newest


class AccessChanges:
    """The rows themselves, for who sweeps."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def sweep(self) -> int:
        """Delete what every process has long heard of, a day old by the server's clock; the answer is how many."""
        old = AccessChange.created_at < func.clock_timestamp() - KEPT
        return rows_changed(self._uow.session, delete(AccessChange).where(old))
