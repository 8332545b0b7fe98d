"""A project as one member sees it: the row, the member's role, and what was asked to be expanded."""

from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from app.core.cache import FactKind
from app.projects.models import Project

TIMES = ("created_at", "updated_at", "archived_at", "deleted_at")
IDS = ("id", "owner_id")


@dataclass
class ProjectView:
    id: UUID
    name: str
    description: str | None
    status: str
    owner_id: UUID
    my_role: str
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None
    owner: dict[str, Any] | None = None
    counts: dict[str, int] | None = None

    @classmethod
    def of(cls, project: Project, role: str) -> "ProjectView":
        own = {name: getattr(project, name) for name in PLAIN}
        return cls(**own, my_role=role)

    @classmethod
    def read(cls, row: Any) -> "ProjectView":
        """Args: row: of a statement with the columns ``PLAIN`` and ``my_role``."""
        return cls(*_facts_of(row))

    def facts(self) -> dict[str, Any]:
        """As JSON data, for the cache."""
        facts = {name: getattr(self, name) for name in FACTS}
        facts.update({name: str(facts[name]) for name in IDS})
        facts.update({name: facts[name].isoformat() if facts[name] else None for name in TIMES})
        return facts

    @classmethod
    def revive(cls, facts: dict[str, Any]) -> "ProjectView":
        """The reverse of ``facts``."""
        values = dict(facts)
        values.update({name: UUID(values[name]) for name in IDS})
        values.update(
            {name: datetime.fromisoformat(values[name]) if values[name] else None for name in TIMES}
        )
        return cls(**values)


EXPANDED = {"owner", "counts"}
"""Never cached: asked for and added on each reading."""
FACTS = tuple(field.name for field in fields(ProjectView) if field.name not in EXPANDED)
KIND = FactKind("project", FACTS, ProjectView.facts, ProjectView.revive, lasting=True)
_facts_of = attrgetter(*FACTS)
PLAIN = tuple(name for name in FACTS if name != "my_role")
"""What the row itself has."""
