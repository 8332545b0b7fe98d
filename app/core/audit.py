"""The security trail: append-only by database grants, written in the transaction of what it tells (SEC-58).

The service's own role may insert and read these rows, not change or delete them. Kept ``AUDIT_RETENTION_DAYS``;
the job ``audit.sweep`` calls a function of the owner that refuses to touch anything younger than 31 days.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, String, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.access import Client
from app.core.address import truncated
from app.core.clock import Clock
from app.core.db import Base
from app.core.ids import new_id
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.telemetry import request_id
from app.core.uow import UnitOfWork


class AuditKind(StrEnum):
    """The closed list of security events."""

    registration_requested = "registration.requested"
    registration_for_known_address = "registration.known_address"
    verification_resent = "verification.resent"
    verification_failed = "verification.failed"
    email_verified = "email.verified"
    sign_in_succeeded = "sign_in.succeeded"
    sign_in_failed = "sign_in.failed"
    sign_in_throttled = "sign_in.throttled"
    sign_in_flood = "sign_in.flood"
    sign_in_unlocked = "sign_in.unlocked"
    password_rehashed = "password.rehashed"
    session_signed_out = "session.signed_out"
    session_revoked = "session.revoked"
    sessions_revoked_others = "session.revoked_others"
    sessions_evicted = "session.evicted"
    refresh_reused = "refresh.reused"
    refresh_restored = "refresh.counter_moved_forward"
    epoch_moved = "auth_epoch.moved"
    administrator_created = "administrator.created"
    sign_in_new_device = "sign_in.new_device"
    sign_in_second_step_failed = "sign_in.second_step_failed"
    step_up_succeeded = "step_up.succeeded"
    step_up_failed = "step_up.failed"
    totp_enabled = "totp.enabled"
    totp_disabled = "totp.disabled"
    recovery_codes_made = "recovery_codes.made"
    recovery_code_used = "recovery_code.used"
    factors_reset = "factors.reset"
    passkey_added = "passkey.added"
    passkey_renamed = "passkey.renamed"
    passkey_deleted = "passkey.deleted"
    password_changed = "password.changed"
    password_reset_requested = "password_reset.requested"
    password_reset_unknown = "password_reset.unknown_address"
    password_reset_failed = "password_reset.failed"
    password_reset = "password.reset"
    email_change_requested = "email_change.requested"
    email_change_taken = "email_change.taken_address"
    email_change_cancelled = "email_change.cancelled"
    email_changed = "email.changed"
    deletion_scheduled = "account.deletion_scheduled"
    account_restored = "account.restored"
    account_purged = "account.purged"
    export_requested = "export.requested"
    export_downloaded = "export.downloaded"
    api_token_created = "api_token.created"
    api_token_revoked = "api_token.revoked"
    role_changed = "account.role_changed"
    status_changed = "account.status_changed"
    sessions_ended_by_administrator = "session.ended_by_administrator"
    keys_rotated = "keys.rotated"
    project_transferred = "project.transferred"


class AuditEvent(Base):
    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_user_id_created_at", "user_id", "created_at"),
        Index("ix_audit_events_created_at", "created_at"),
        Index(
            "ix_audit_events_actor_id", "actor_id",
            postgresql_where=text("actor_id IS NOT NULL AND actor_id IS DISTINCT FROM user_id"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    ip: Mapped[str | None] = mapped_column(String(45))
    device: Mapped[str | None] = mapped_column(String(100))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AuditTrail:
    """Writes the trail into the current unit of work."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    def record(
        self,
        kind: AuditKind,
        *,
        user: UUID | None,
        actor: UUID | None = None,
        client: Client | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Add a row; the answer is its id.

        Args:
            kind: what happened.
            user: whose account it concerns.
            actor: who did it, if known.
            client: where from; the address is stored truncated.
            data: JSON data, never a secret or an address.
        """
        identifier = new_id()
        self._uow.session.add(
            AuditEvent(
                id=identifier,
                kind=kind.value,
                user_id=user,
                actor_id=actor,
                ip=truncated(client.address) if client else None,
                device=client.device if client else None,
                data=dict(data or {}),
                request_id=request_id.get(),
                created_at=self._clock.now(),
            )
        )
        return identifier

    def about(self, user_id: UUID, after: tuple[datetime, UUID] | None, most: int) -> list[AuditEvent]:
        """What concerns an account, the oldest first, so many rows after that one; for its owner's export."""
        statement = (
            select(AuditEvent)
            .where(AuditEvent.user_id == user_id)
            .order_by(AuditEvent.created_at, AuditEvent.id)
            .limit(most)
        )
        if after is not None:
            statement = statement.where(tuple_(AuditEvent.created_at, AuditEvent.id) > after)
        rows = self._uow.session.execute(statement).scalars()
        return [_as_told_to(user_id, row) for row in rows]

    def tells(self, kind: AuditKind, user_id: UUID, data: Mapping[str, Any]) -> bool:
        """Whether something of that kind, with these data among its own, stands there about an account."""
        told = select(AuditEvent.id).where(
            AuditEvent.user_id == user_id, AuditEvent.kind == kind.value, AuditEvent.data.contains(dict(data))
        )
        return self._uow.session.execute(told.limit(1)).first() is not None

    def find(self, identifier: UUID) -> AuditEvent | None:
        """A row by its id; a job that must tell where something came from reads it here."""
        return self._uow.session.get(AuditEvent, identifier)

    def page_about(self, user_id: UUID, cursors: Cursors, request: PageRequest) -> Page[AuditEvent]:
        """One page of what concerns an account, the newest first; where somebody else did it, not from where.

        Raises:
            AppError: ``invalid_cursor``.
        """
        return page_of(
            self._uow.session,
            select(AuditEvent).where(AuditEvent.user_id == user_id),
            sort=NEWEST,
            key=AuditEvent.id,
            cursors=cursors,
            scope=query_scope("audit", user_id),
            request=request,
            make=lambda row: _as_told_to(user_id, row[0]),
        )

    def sweep(self, before: datetime) -> int:
        """Delete what is older, through the owner's function; the answer is how many."""
        return int(self._uow.session.execute(select(func.purge_audit_events(before))).scalar_one())


NEWEST = Sort(AuditEvent.created_at, True, datetime.fromisoformat)


def _as_told_to(user_id: UUID, event: AuditEvent) -> AuditEvent:
    """An administrator's device and network are not the business of whoever they act upon."""
    if event.actor_id in {None, user_id}:
        return event
    return AuditEvent(
        id=event.id, kind=event.kind, device=None, ip=None, data=event.data, created_at=event.created_at
    )
