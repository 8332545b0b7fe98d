"""What of somebody's rows goes into their copy: plain data, no secret, times as the API writes them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.api_tokens.models import ApiToken
from app.core.audit import AuditEvent
from app.files.models import File
from app.passkeys.models import Passkey
from app.projects.models import Project, ProjectMember
from app.sessions.models import Session
from app.users.models import User

ACCOUNT = ("id", "email", "pending_email", "email_verified_at", "display_name", "locale", "time_zone", "role", "status",
           "mfa_enabled", "has_password", "deletion_scheduled_at", "created_at", "updated_at")  # fmt: skip
SESSION = ("id", "device_name", "user_agent", "ip", "transport", "authenticated_at", "factor_at", "created_at", "last_used_at",
           "expires_at", "revoked_at", "revoked_reason")  # fmt: skip
TOKEN = ("id", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
PASSKEY = ("id", "name", "transports", "aaguid", "backup_eligible", "backed_up", "created_at", "last_used_at")
PROJECT = (
    "id",
    "name",
    "description",
    "status",
    "version",
    "created_at",
    "updated_at",
    "archived_at",
    "deleted_at",
)
MEMBERSHIP = ("role", "joined_at")
INVITATION = ("id", "email", "role", "created_at", "expires_at")
FILE = (
    "id", "project_id", "name", "content_type", "size", "sha256", "state", "failure_code", "uploaded_by",
    "version", "created_at", "updated_at", "deleted_at",
)  # fmt: skip
ACTIVITY = ("id", "kind", "ip", "device", "data", "created_at")
Row = dict[str, Any]


def account(user: User) -> Row:
    return _of(user, ACCOUNT)


def session(row: Session) -> Row:
    return _of(row, SESSION)


def api_token(row: ApiToken) -> Row:
    """Without the digest."""
    return _of(row, TOKEN)


def passkey(row: Passkey) -> Row:
    """Without the key, which is worth something to the authenticator alone."""
    return _of(row, PASSKEY)


def project(row: Project) -> Row:
    return _of(row, PROJECT)


def membership(project: Project, member: ProjectMember) -> Row:
    """Of a project of somebody else: that one belongs to it, not what is in it."""
    return {"project_id": str(project.id), "project_name": project.name, **_of(member, MEMBERSHIP)}


def invitation(row: Any) -> Row:
    """Args: row: an open invitation, the project's name, and that of whoever invites."""
    invited, project_name, inviter = row
    return {**_of(invited, INVITATION), "project_name": project_name, "invited_by": inviter}


def file(row: File, project_name: str, path: str | None, person: UUID) -> Row:
    """Who uploaded it is told where that is the person themselves: others are nobody in a copy (SEC-57).

    Args:
        path: where its content is in the archive; nowhere if it may not leave us.
        person: whose copy this is.
    """
    own = str(person) if row.uploaded_by == person else None
    return {**_of(row, FILE), "uploaded_by": own, "project_name": project_name, "path": path}


def activity(row: AuditEvent) -> Row:
    return _of(row, ACTIVITY)


def _of(row: object, names: tuple[str, ...]) -> Row:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    """JSON data."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | list | dict) else str(value)
