"""All mapped classes, so that the metadata is whole for Alembic and for constraint errors."""

from app.core.audit import AuditEvent
from app.core.db import Base
from app.core.events import Event
from app.core.idempotency import IdempotencyRecord
from app.core.system import SystemState
from app.core.throttle import ThrottleCounter
from app.projects.models import Project, ProjectMember
from app.registration.models import Registration
from app.sessions.models import Session
from app.users.models import User

__all__ = [
    "AuditEvent",
    "Base",
    "Event",
    "IdempotencyRecord",
    "Project",
    "ProjectMember",
    "Registration",
    "Session",
    "SystemState",
    "ThrottleCounter",
    "User",
]
