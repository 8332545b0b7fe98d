"""What is added to projects when it is asked for."""

from collections.abc import Collection
from dataclasses import replace

from app.core.uow import UnitOfWork
from app.projects.repository import ProjectRepository
from app.projects.views import ProjectView


class Expansion:
    """Owners and counts."""

    def __init__(self, uow: UnitOfWork, projects: ProjectRepository) -> None:
        self._uow = uow
        self._projects = projects

    def expand(self, views: list[ProjectView], wanted: Collection[str]) -> list[ProjectView]:
        """The same with what was asked for, with one statement per kind whatever the length of the list."""
        if not wanted or not views:
            return views
        views = [replace(view, written_by=None) for view in views]  # others see these too
        with self._uow.reading():
            if "owner" in wanted:
                self._add_owners(views)
            if "counts" in wanted:
                self._add_counts(views)
        return views

    def _add_owners(self, views: list[ProjectView]) -> None:
        owners = self._projects.owners({view.owner_id for view in views})
        for view in views:
            view.owner = owners.get(view.owner_id)

    def _add_counts(self, views: list[ProjectView]) -> None:
        counts = self._projects.counts([view.id for view in views])
        for view in views:
            view.counts = counts.get(view.id)
