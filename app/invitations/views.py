"""An invitation as people see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.invitations.models import Invitation


@dataclass(frozen=True)
class InvitationView:
    """Attributes: project: id and name. invited_by: id and display name; None once that account is erased."""

    id: UUID
    project: dict[str, Any]
    email: str
    role: str
    status: str
    invited_by: dict[str, Any] | None
    expires_at: datetime
    created_at: datetime

    @classmethod
    def of(
        cls, row: Invitation, project_name: str, inviter_name: str | None, now: datetime
    ) -> "InvitationView":
        inviter = {"id": row.invited_by, "display_name": inviter_name} if row.invited_by else None
        return cls(
            row.id, {"id": row.project_id, "name": project_name}, row.email, row.role, row.status(now).value,
            inviter, row.expires_at, row.created_at,
        )  # fmt: skip


@dataclass(frozen=True)
class InvitationPreview:
    """What whoever holds the link may know before they sign in."""

    email: str
    role: str
    project_name: str
    invited_by: dict[str, str] | None
    expires_at: datetime
