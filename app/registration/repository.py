"""SQL of registrations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from app.core.db import rows_changed
from app.core.repository import Repository
from app.registration.models import Registration


class RegistrationRepository(Repository[Registration]):
    model = Registration
    noun = "registration"

    def confirmable(self, email_key: str, now: datetime) -> list[Registration]:
        """Attempts for the address that can still be confirmed, locked, the newest first, five at most."""
        statement = (
            select(Registration)
            .where(Registration.email_key == email_key, Registration.expires_at > now, Registration.mails > 0)
            .order_by(Registration.created_at.desc())
            .limit(5)
            .with_for_update()
        )
        return list(self.session.execute(statement).scalars())

    def contested(self, proved: Registration, now: datetime) -> bool:
        """Whether attempts for the same address wait that came from another network than this one."""
        others = (
            select(Registration.id)
            .where(
                Registration.email_key == proved.email_key,
                Registration.expires_at > now,
                Registration.id != proved.id,
                Registration.ip.is_distinct_from(proved.ip),
            )
            .limit(1)
        )
        return self.session.execute(others).scalar_one_or_none() is not None

    def newest_password(self, email_key: str, now: datetime) -> str | None:
        """The password hash of the last live attempt, whether or not it can be confirmed."""
        statement = (
            select(Registration.password_hash)
            .where(Registration.email_key == email_key, Registration.expires_at > now)
            .order_by(Registration.created_at.desc())
            .limit(1)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def renew(self, registration_id: UUID, code_expires_at: datetime) -> int:
        """Count one mail more, which makes a new code; the answer is how many there are now, 0 without a row."""
        renewed = (
            update(Registration)
            .where(Registration.id == registration_id)
            .values(mails=Registration.mails + 1, code_expires_at=code_expires_at)
            .returning(Registration.mails)
        )
        return self.session.execute(renewed).scalar_one_or_none() or 0

    def delete_all(self, email_key: str) -> None:
        """Forget every attempt for an address: it has an account now."""
        self.session.execute(delete(Registration).where(Registration.email_key == email_key))

    def sweep(self, now: datetime) -> int:
        return rows_changed(self.session, delete(Registration).where(Registration.expires_at <= now))
