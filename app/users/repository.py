"""SQL of accounts."""

from uuid import UUID

from sqlalchemy import delete, func, select, update

from app.core.access import AccountStatus, SiteRole
from app.core.db import rows_changed
from app.core.repository import Repository
from app.users.models import User

ADMINISTRATORS = 5_120_334_719_482_006_317
"""Any fixed number: who counts administrators to take one away holds this lock."""


class UserRepository(Repository[User]):
    model = User
    noun = "account"

    def by_email_key(self, key: str) -> User | None:
        return self.session.execute(select(User).where(User.email_key == key)).scalar_one_or_none()

    def several(self, ids: list[UUID]) -> list[User]:
        return list(self.session.execute(select(User).where(User.id.in_(ids))).scalars())

    def replace_password_hash(self, user_id: UUID, old: str | None, new: str) -> bool:
        """Only while the old one stands, which the answer tells; not an edit of the account, so its version stays."""
        replacing = (
            update(User).where(User.id == user_id, User.password_hash == old).values(password_hash=new)
        )
        return rows_changed(self.session, replacing) > 0

    def move_device_epoch(self, user_id: UUID) -> None:
        """Not an edit of the account, so its version stays."""
        moved = update(User).where(User.id == user_id).values(device_epoch=User.device_epoch + 1)
        self.session.execute(moved)

    def active_administrators(self) -> int:
        """How many can act; whoever asks next waits until this transaction ends."""
        self.session.execute(select(func.pg_advisory_xact_lock(ADMINISTRATORS)))
        counted = select(func.count()).where(
            User.role == SiteRole.admin.value, User.status == AccountStatus.active.value
        )
        return self.session.execute(counted).scalar_one()

    def erase(self, user_id: UUID) -> None:
        """By one statement; what refers to the account goes by the database's own rules."""
        self.session.execute(delete(User).where(User.id == user_id))

    def administrators(self) -> int:
        counted = select(func.count()).select_from(User).where(User.role == SiteRole.admin.value)
        return self.session.execute(counted).scalar_one()
