"""What happened, one row per write, in the write's own transaction.

Activity and the change feed read these rows; webhooks and realtime will. ``xid`` is the writing transaction: rows
become visible in commit order, not in ``seq`` order, and a reader needs it to never step over a late committer.
Kept ``EVENT_RETENTION_DAYS``; swept by the job ``events.sweep`` along ``ix_events_created_at``.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    FetchedValue,
    Identity,
    Index,
    String,
    Update,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.types import UserDefinedType

from app.core.clock import Clock
from app.core.db import Base, rows_changed
from app.core.quick_statements import QuickInsert
from app.core.telemetry import request_id
from app.core.uow import UnitOfWork

FORGOTTEN_AT_ONCE = 1_000
NOBODY = UUID(int=0)


class EventKind(StrEnum):
    """The closed list of events."""

    user_created = "user.created"
    user_updated = "user.updated"
    user_signed_in = "user.signed_in"
    user_email_changed = "user.email_changed"
    user_deletion_scheduled = "user.deletion_scheduled"
    user_restored = "user.restored"
    user_purged = "user.purged"
    registration_requested = "registration.requested"
    session_refreshed = "session.refreshed"
    session_revoked = "session.revoked"
    project_created = "project.created"
    project_updated = "project.updated"
    project_archived = "project.archived"
    project_unarchived = "project.unarchived"
    project_deleted = "project.deleted"
    project_restored = "project.restored"
    project_purged = "project.purged"
    project_transferred = "project.transferred"
    member_added = "member.added"
    member_role_changed = "member.role_changed"
    member_removed = "member.removed"
    member_left = "member.left"
    invitation_created = "invitation.created"
    invitation_resent = "invitation.resent"
    invitation_revoked = "invitation.revoked"
    invitation_accepted = "invitation.accepted"
    invitation_declined = "invitation.declined"
    file_uploaded = "file.uploaded"
    file_renamed = "file.renamed"
    file_deleted = "file.deleted"
    file_restored = "file.restored"
    file_purged = "file.purged"
    file_quarantined = "file.quarantined"


MEMBER_KINDS = (
    EventKind.member_added, EventKind.member_role_changed, EventKind.member_removed, EventKind.member_left,
)  # fmt: skip
"""Of which the subject is a person: what they gain, hold or lose in a project."""


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's ``xid8``: 64 bits, never reused within a cluster."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "xid8"


ischema_names["xid8"] = TransactionId  # so that Alembic recognises the column when it compares


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_created_at", "created_at"),
        Index(
            "ix_events_project_id_seq", "project_id", "seq", postgresql_where=text("project_id IS NOT NULL")
        ),
        Index("ix_events_xid_seq", "xid", "seq"),
        Index(
            "ix_events_project_id_xid_seq",
            "project_id",
            "xid",
            "seq",
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index(
            "ix_events_member_id_xid_seq",
            "subject_id",
            "xid",
            "seq",
            postgresql_where=text(
                "kind IN ('member.added', 'member.role_changed', 'member.removed', 'member.left')"
            ),
        ),
        Index("ix_events_actor_id", "actor_id", postgresql_where=text("actor_id IS NOT NULL")),
        Index("ix_events_subject_id", "subject_id", postgresql_where=text("project_id IS NULL")),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(TransactionId, server_default=FetchedValue())
    kind: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[UUID | None]
    subject_id: Mapped[UUID]
    project_id: Mapped[UUID | None]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


RECORD = QuickInsert(
    Event, ("kind", "subject_id", "actor_id", "project_id", "changes", "request_id", "created_at")
)


class Events:
    """Writes events into the current unit of work."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    def record(
        self,
        kind: EventKind,
        *,
        subject: UUID,
        actor: UUID | None,
        project: UUID | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        """Args: changes: ``{field: {"before": ..., "after": ...}}``, JSON data only, never a secret."""
        self._uow.later(RECORD, {
            "kind": kind.value, "subject_id": subject, "actor_id": actor, "project_id": project,
            "changes": dict(changes or {}), "request_id": request_id.get(), "created_at": self._clock.now(),
        })  # fmt: skip
        self._uow.touch(subject, actor, project)

    def forget_person(self, user_id: UUID, most: int = FORGOTTEN_AT_ONCE) -> int:
        """Take somebody out, so many rows at a time; the answer is how many, 0 when there is nothing left.

        What is private to them goes. What they did in projects, and what was done to their membership, stays without
        their name: it is the projects' history.
        """
        session = self._uow.session
        private = select(Event.seq).where(
            Event.project_id.is_(None), or_(Event.subject_id == user_id, Event.actor_id == user_id)
        )
        gone = rows_changed(session, delete(Event).where(Event.seq.in_(private.limit(most))))
        # First: the memberships lead to the transfers, and below they become nobody's.
        session.execute(_unnamed_transfers(user_id).execution_options(synchronize_session=False))
        done = select(Event.seq).where(Event.actor_id == user_id, Event.project_id.is_not(None))
        nameless = update(Event).where(Event.seq.in_(done.limit(most))).values(actor_id=None)
        told = select(Event.seq).where(Event.subject_id == user_id, Event.kind.in_(MEMBER_KINDS))
        faceless = update(Event).where(Event.seq.in_(told.limit(most))).values(subject_id=NOBODY)
        return gone + sum(
            rows_changed(session, each.execution_options(synchronize_session=False))
            for each in (nameless, faceless)
        )

    def forget_projects(self, ids: Collection[UUID]) -> None:
        """Delete the history of projects that are erased with their owner."""
        self._uow.session.execute(delete(Event).where(Event.project_id.in_(ids)))

    def sweep(self, before: datetime) -> int:
        """Delete what is older; the answer is how many."""
        return rows_changed(self._uow.session, delete(Event).where(Event.created_at < before))


def _unnamed_transfers(user_id: UUID) -> Update:
    """Take somebody out of who owned a project before and after: each transfer changed their role in its transaction."""
    turned = aliased(Event)
    before, after = (
        func.nullif(Event.changes[("owner_id", end)].astext, str(user_id)) for end in ("before", "after")
    )
    owners = func.jsonb_build_object("before", before, "after", after)
    return (
        update(Event)
        .where(
            turned.subject_id == user_id,
            turned.kind.in_(MEMBER_KINDS),
            Event.project_id == turned.project_id,
            Event.xid == turned.xid,
            Event.kind == EventKind.project_transferred,
        )
        .values(changes=func.jsonb_build_object("owner_id", owners))
    )
