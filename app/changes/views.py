"""One thing that changed for somebody."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.projects.views import ProjectView


class ChangeType(StrEnum):
    upsert = "upsert"
    removed = "removed"


@dataclass(frozen=True)
class ChangeView:
    """A project that changed.

    Attributes:
        id: of the project.
        project: as it is now; None where there is none any more, for this person.
        changed_at: when it last changed.
    """

    id: UUID
    project: ProjectView | None
    changed_at: datetime
    object: str = "project"

    @property
    def type(self) -> ChangeType:
        return ChangeType.upsert if self.project else ChangeType.removed
