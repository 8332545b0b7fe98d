"""All mapped classes, so that the metadata is whole for Alembic and for constraint errors."""

from app.api_tokens.models import ApiToken
from app.core.access_watch import AccessChange
from app.core.audit import AuditEvent
from app.core.db import Base
from app.core.events import Event
from app.core.idempotency import IdempotencyRecord
from app.core.objects import DoomedObject
from app.core.system import SystemState
from app.core.throttle import ThrottleCounter
from app.deletion.models import AccountDeletion
from app.email_change.models import EmailChange
from app.exports.models import Export, ExportPart
from app.files.models import File, FilePreview
from app.invitations.models import Invitation
from app.passkeys.models import Passkey, PasskeyChallenge
from app.passwords.models import PasswordReset
from app.projects.models import Project, ProjectMember, ProjectStorage
from app.registration.models import Registration
from app.second_factor.models import MfaChallenge, RecoveryCode, TotpFactor
from app.sessions.models import Session
from app.uploads.models import Upload, UploadSegment
from app.users.models import User
from app.work.models import WorkItem

__all__ = [
    "AccessChange",
    "AccountDeletion",
    "ApiToken",
    "AuditEvent",
    "Base",
    "DoomedObject",
    "EmailChange",
    "Event",
    "Export",
    "ExportPart",
    "File",
    "FilePreview",
    "IdempotencyRecord",
    "Invitation",
    "MfaChallenge",
    "Passkey",
    "PasskeyChallenge",
    "PasswordReset",
    "Project",
    "ProjectMember",
    "ProjectStorage",
    "RecoveryCode",
    "Registration",
    "Session",
    "SystemState",
    "ThrottleCounter",
    "TotpFactor",
    "Upload",
    "UploadSegment",
    "User",
    "WorkItem",
]
