"""SQL of changes of address."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from app.core.db import rows_changed
from app.core.repository import Repository
from app.email_change.models import EmailChange

OPEN = (
    EmailChange.confirmed_at.is_(None),
    EmailChange.voided_at.is_(None),
    EmailChange.cancelled_at.is_(None),
)


class EmailChangeRepository(Repository[EmailChange]):
    model = EmailChange
    noun = "change of address"

    def waiting(self, user_id: UUID, now: datetime) -> EmailChange | None:
        """The one of an account that can still be confirmed; there is one at most."""
        statement = (
            select(EmailChange)
            .where(EmailChange.user_id == user_id, EmailChange.expires_at > now, *OPEN)
            .order_by(EmailChange.created_at.desc(), EmailChange.id.desc())
            .limit(1)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def confirm(self, change_id: UUID, now: datetime, cancel_until: datetime) -> bool:
        """Take the one use of it; of many at once one gets the answer yes. The old address may object anew."""
        confirmed = (
            update(EmailChange)
            .where(EmailChange.id == change_id, EmailChange.expires_at > now, EmailChange.mails > 0, *OPEN)
            .values(confirmed_at=now, cancel_until=cancel_until)
            .returning(EmailChange.id)
        )
        return self.session.execute(confirmed).scalar_one_or_none() is not None

    def cancel(self, change: EmailChange, now: datetime) -> bool:
        """Take the one use of the old address's link; with it go all later changes and their cancel links."""
        cancelled = (
            update(EmailChange)
            .where(
                EmailChange.user_id == change.user_id,
                EmailChange.created_at >= change.created_at,
                EmailChange.cancelled_at.is_(None),
                EmailChange.cancel_until > now,
            )
            .values(cancelled_at=now)
            .returning(EmailChange.id)
        )
        return change.id in set(self.session.execute(cancelled).scalars())

    def void_waiting(self, user_id: UUID, now: datetime) -> None:
        """End what could still be confirmed; the links to cancel stay good."""
        self.session.execute(
            update(EmailChange).where(EmailChange.user_id == user_id, *OPEN).values(voided_at=now)
        )

    def expired(self, now: datetime, most: int) -> list[EmailChange]:
        """Requests that nobody confirmed in time."""
        statement = select(EmailChange).where(EmailChange.expires_at <= now, *OPEN).limit(most)
        return list(self.session.execute(statement).scalars())

    def sweep(self, now: datetime) -> int:
        return rows_changed(
            self.session,
            delete(EmailChange).where(EmailChange.cancel_until <= now, EmailChange.expires_at <= now),
        )
