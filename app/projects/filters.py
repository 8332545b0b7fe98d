"""What a list of projects may be narrowed and sorted by."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.projects.models import ProjectStatus

DEFAULT_SORT, RELEVANCE = "-updated_at", "relevance"
SORTS = ("updated_at", DEFAULT_SORT, "created_at", "-created_at", "name", "-name", RELEVANCE)


@dataclass(frozen=True)
class ProjectFilters:
    """What a list may be narrowed by; all that is set must hold."""

    q: str | None = None
    status: Collection[str] = field(default_factory=lambda: (ProjectStatus.active.value,))
    role: str | None = None
    owner_id: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    sort: str | None = None
