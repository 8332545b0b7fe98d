"""SQL of password resets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from app.core.db import rows_changed
from app.core.repository import Repository
from app.passwords.models import PasswordReset

LIVE = (PasswordReset.used_at.is_(None), PasswordReset.voided_at.is_(None))


class PasswordResetRepository(Repository[PasswordReset]):
    model = PasswordReset
    noun = "password reset"

    def live(self, reset_id: UUID, now: datetime) -> PasswordReset | None:
        """The row, while it still allows a reset."""
        statement = select(PasswordReset).where(
            PasswordReset.id == reset_id, PasswordReset.expires_at > now, *LIVE
        )
        return self.session.execute(statement).scalar_one_or_none()

    def newest_live(self, user_id: UUID, now: datetime) -> PasswordReset | None:
        """The one whose code an account's owner may type."""
        statement = (
            select(PasswordReset)
            .where(PasswordReset.user_id == user_id, PasswordReset.expires_at > now, *LIVE)
            .order_by(PasswordReset.created_at.desc(), PasswordReset.id.desc())
            .limit(1)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def use(self, reset_id: UUID, now: datetime) -> bool:
        """Take the one use of it; of many at once one gets the answer yes."""
        used = (
            update(PasswordReset)
            .where(PasswordReset.id == reset_id, PasswordReset.expires_at > now, *LIVE)
            .values(used_at=now)
            .returning(PasswordReset.id)
        )
        return self.session.execute(used).scalar_one_or_none() is not None

    def void_all(self, user_id: UUID, now: datetime) -> None:
        """Make every waiting one of an account worthless."""
        self.session.execute(
            update(PasswordReset).where(PasswordReset.user_id == user_id, *LIVE).values(voided_at=now)
        )

    def sweep(self, now: datetime) -> int:
        return rows_changed(self.session, delete(PasswordReset).where(PasswordReset.expires_at <= now))
