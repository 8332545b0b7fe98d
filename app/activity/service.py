"""What happened in a project, for its members."""

from uuid import UUID

from app.activity.filters import ActivityFilters
from app.activity.repository import ActivityRepository
from app.activity.views import ActivityView
from app.core.access import Actor
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.projects.service import ProjectService


class ActivityService:
    def __init__(
        self, uow: UnitOfWork, activity: ActivityRepository, projects: ProjectService, cursors: Cursors
    ) -> None:
        self._uow = uow
        self._activity = activity
        self._projects = projects
        self._cursors = cursors

    def list_of(
        self, actor: Actor, project_id: UUID, filters: ActivityFilters, request: PageRequest
    ) -> Page[ActivityView]:
        """One page of a project's history; every member may read it, also what was before they joined.

        Raises:
            AppError: ``not_found``, ``invalid_cursor``.
        """
        with self._uow.reading():
            self._projects.find(actor, project_id)
            return self._uow.lately(
                lambda: self._activity.page(
                    project_id, actor.user_id, filters, self._cursors, request, ActivityView.of
                ),
                project_id,
            )
