"""SQL of sessions."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from app.core.access import SiteRole
from app.core.db import rows_changed
from app.core.quick_statements import QuickSelect
from app.core.repository import Repository
from app.core.system import SystemState
from app.sessions.models import Session
from app.users.models import User


class SessionFacts(NamedTuple):
    """What the check of an access token needs.

    Attributes:
        newest, seen, oldest: generations, as of ``Session``: the newest there is, the newest that came back, the oldest that is good.
    """

    subjects: tuple[UUID, UUID]
    user_id: UUID
    newest: int
    seen: int
    oldest: int
    expires_at: datetime
    proved_at: datetime | None
    has_factor: bool
    live: bool
    role: SiteRole
    status: str


FACTS = QuickSelect(
    select(
        Session.user_id, Session.counter, Session.seen_generation, Session.min_generation, Session.expires_at,
        Session.authenticated_at, Session.factor_at, Session.revoked_at, User.role, User.status,
        User.mfa_enabled,
        (Session.auth_epoch == SystemState.auth_epoch).label("epoch_holds"),
    )
    .join(User, User.id == Session.user_id)
    .join(SystemState, SystemState.id == 1)
    .where(Session.id == bindparam("session_id"))
)  # fmt: skip


class SessionRepository(Repository[Session]):
    model = Session
    noun = "session"

    def lock_if_free(self, session_id: UUID) -> Session | None:
        """The row, locked, unless another transaction holds it: refreshes never queue on a lock (SEC-19)."""
        statement = (
            select(Session)
            .where(Session.id == session_id)
            .with_for_update(skip_locked=True, key_share=True)
            .execution_options(populate_existing=True)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def facts(self, session_id: UUID) -> SessionFacts | None:
        """What the check of an access token needs; one statement."""
        row = self.one(FACTS, {"session_id": session_id})
        if row is None:
            return None
        return SessionFacts(
            (session_id, row.user_id), row.user_id, row.counter, row.seen_generation, row.min_generation, row.expires_at,
            row.factor_at if row.mfa_enabled else row.authenticated_at, row.mfa_enabled,
            row.revoked_at is None and row.epoch_holds, SiteRole(row.role), row.status,
        )  # fmt: skip

    def mark_seen(self, session_id: UUID, generation: int) -> None:
        """Note, once, that a credential of this generation was accepted."""
        self.session.execute(
            update(Session)
            .where(
                Session.id == session_id, Session.seen_generation < generation, Session.counter >= generation
            )
            .values(seen_generation=generation)
        )

    def live(self, user_id: UUID, now: datetime, epoch: int) -> list[Session]:
        """The account's sessions that can still be used, the last used first."""
        statement = (
            select(Session)
            .where(
                Session.user_id == user_id, Session.revoked_at.is_(None), Session.auth_epoch == epoch,
                Session.expires_at > now, Session.idle_expires_at > now,
            )
            .order_by(Session.last_used_at.desc(), Session.id.desc())
        )  # fmt: skip
        return list(self.session.execute(statement).scalars())

    def all_of(self, user_id: UUID) -> list[Session]:
        statement = select(Session).where(Session.user_id == user_id).order_by(Session.created_at.desc())
        return list(self.session.execute(statement).scalars())

    def opened_since(self, user_id: UUID, moment: datetime) -> bool:
        found = select(Session.id).where(Session.user_id == user_id, Session.created_at > moment).limit(1)
        return self.session.execute(found).scalar_one_or_none() is not None

    def sweep(self, before: datetime) -> int:
        """Delete what ended before that moment; the answer is how many."""
        expired = rows_changed(self.session, delete(Session).where(Session.expires_at < before))
        revoked = rows_changed(self.session, delete(Session).where(Session.revoked_at < before))
        return expired + revoked
