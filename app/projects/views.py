"""A project as one member sees it: the row, the member's role, and what was asked to be expanded."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from app.core.facts import FactKind
from app.core.pagination import Page
from app.core.recent import Recent
from app.projects.models import Project, ProjectRole, ProjectStatus

KNOWN, KNOWN_PEOPLE, KNOWN_FOR, LONGEST_KNOWN = 4_000, 1_000, 300.0, 500
"""Views and people; seconds for which a view is known; letters of one, since memory is counted in views."""
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
    written_by: dict[Any, Any] | None = field(default=None, repr=False, compare=False)
    """What schemas made of it; only where it is ``shared``."""

    @classmethod
    def of(cls, project: "Project | Any", role: str) -> "ProjectView":
        """Args: project: or a row of a statement with the columns ``PLAIN``."""
        own = {name: getattr(project, name) for name in PLAIN}
        return cls(**own, my_role=role)

    @classmethod
    def begun(
        cls, id_: UUID, name: str, description: str | None, owner_id: UUID, now: datetime
    ) -> "ProjectView":
        """A new one, as its owner sees it."""
        active, owner = ProjectStatus.active.value, ProjectRole.owner.value
        return cls(id_, name, description, active, owner_id, owner, 1, now, now, None, None)

    @classmethod
    def read(cls, row: Any) -> "ProjectView":
        """Args: row: of a statement with the columns ``PLAIN`` and ``my_role``."""
        return cls(*_facts_of(row))

    def shared(self) -> "ProjectView":
        """The same, kept for others to see: nobody changes it from now on, so what is made of it is kept as well."""
        self.written_by = {}
        return self

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
        return cls(**values).shared()


class Listed(NamedTuple):
    """A page as it was read.

    Attributes:
        told: whether each change of what is in it is told to whom it was read for.
    """

    page: Page[ProjectView]
    told: bool


EXPANDED = {"owner", "counts"}
"""Never cached: asked for and added on each reading."""
FACTS = tuple(each.name for each in fields(ProjectView) if each.name not in {*EXPANDED, "written_by"})
KIND = FactKind("project", FACTS, ProjectView.facts, ProjectView.revive, lasting=True)
_facts_of = attrgetter(*FACTS)
PLAIN = tuple(name for name in FACTS if name != "my_role")
"""What the row itself has."""


class KnownViews:
    """Projects that were read lately, by what tells that they are still the same.

    A version alone would not do: a database that was restored counts the same ones again.
    """

    def __init__(self) -> None:
        self._known: Recent[tuple[Any, ...], tuple[float, ProjectView]] = Recent(KNOWN)
        self._people: Recent[UUID, bool] = Recent(KNOWN_PEOPLE)

    def expects(self, user_id: UUID) -> bool:
        """Whether what somebody lists is probably known: they listed before."""
        return self._people.get(user_id) is not None

    def get(self, row: Any) -> ProjectView | None:
        """Args: row: of a list's narrow statement."""
        until, view = self._known.get((row.row_key, row.version, row.updated_at, row.my_role)) or (0.0, None)
        return view if until > time.monotonic() else None

    def put_page(self, user_id: UUID, views: Iterable[ProjectView]) -> None:
        """Args: user_id: who listed them."""
        self._people.put(user_id, True)
        for view in views:
            self.put(view)

    def put(self, view: ProjectView) -> None:
        """Keep a view, unless it is a long one."""
        if len(view.name) + len(view.description or "") <= LONGEST_KNOWN:
            key = (view.id, view.version, view.updated_at, view.my_role)
            self._known.put(key, (time.monotonic() + KNOWN_FOR, view.shared()))
