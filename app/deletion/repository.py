"""SQL of leaving."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_

from app.core.access import AccountStatus
from app.core.repository import Repository
from app.deletion.models import AccountDeletion
from app.users.models import User

Position = tuple[datetime, UUID]


class AccountDeletionRepository(Repository[AccountDeletion]):
    model = AccountDeletion
    noun = "scheduled deletion"

    def of(self, user_id: UUID) -> AccountDeletion | None:
        """The account's wish as it is now, whatever this transaction read before."""
        statement = (
            select(AccountDeletion)
            .where(AccountDeletion.user_id == user_id)
            .execution_options(populate_existing=True)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def forget(self, user_id: UUID) -> None:
        self.session.execute(delete(AccountDeletion).where(AccountDeletion.user_id == user_id))

    def due(self, now: datetime, after: Position | None, most: int) -> list[AccountDeletion]:
        """Wishes whose time has come, the oldest first; those of suspended accounts wait."""
        statement = (
            select(AccountDeletion)
            .join(User, User.id == AccountDeletion.user_id)
            .where(AccountDeletion.due_at <= now, User.status == AccountStatus.deletion_scheduled.value)
            .order_by(AccountDeletion.due_at, AccountDeletion.id)
            .limit(most)
        )
        if after is not None:
            statement = statement.where(tuple_(AccountDeletion.due_at, AccountDeletion.id) > after)
        return list(self.session.execute(statement).scalars())

    def anonymise_audit(self, user_id: UUID) -> int:
        """Take the person out of the trail, by the owner's function; the answer is how many rows.

        The function refuses unless the account stands there with its deletion due.
        """
        return int(self.session.execute(select(func.anonymise_audit_events(user_id))).scalar_one())
