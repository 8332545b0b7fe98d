"""SQL of accounts."""

from uuid import UUID

from sqlalchemy import func, select, update

from app.core.access import SiteRole
from app.core.repository import Repository
from app.users.models import User


class UserRepository(Repository[User]):
    model = User
    noun = "account"

    def by_email_key(self, key: str) -> User | None:
        return self.session.execute(select(User).where(User.email_key == key)).scalar_one_or_none()

    def several(self, ids: list[UUID]) -> list[User]:
        return list(self.session.execute(select(User).where(User.id.in_(ids))).scalars())

    def replace_password_hash(self, user_id: UUID, old: str | None, new: str) -> bool:
        """Only while the old one stands, which the answer tells; not an edit of the account, so its version stays."""
        replaced = self.session.execute(
            update(User).where(User.id == user_id, User.password_hash == old).values(password_hash=new)
        )
        return bool(replaced.rowcount)  # type: ignore[attr-defined]  # a cursor result

    def administrators(self) -> int:
        counted = select(func.count()).select_from(User).where(User.role == SiteRole.admin.value)
        return self.session.execute(counted).scalar_one()
