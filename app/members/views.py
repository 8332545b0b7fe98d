"""A member as another member sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class MemberView:
    """Attributes: user: id and display name. email: null for those who may not see addresses."""

    user: dict[str, Any]
    email: str | None
    role: str
    joined_at: datetime

    @classmethod
    def of(cls, row: Any, *, with_address: bool) -> "MemberView":
        """Args: row: begins with a membership, and the account's id, display name and e-mail address."""
        member, display_name, email = row[:3]
        user: dict[str, UUID | str] = {"id": member.user_id, "display_name": display_name}
        return cls(user, email if with_address else None, member.role, member.joined_at)
