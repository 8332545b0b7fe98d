"""SQL of what happened in a project."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.activity.filters import ActivityFilters
from app.activity.kinds import ABOUT_PEOPLE, KINDS
from app.core.events import Event
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.users.models import User

Item = TypeVar("Item")
NEWEST = Sort(Event.seq, True, int)
Actor, Subject = aliased(User), aliased(User)
SHOWN = (
    select(Event, Actor.display_name, Subject.display_name)
    .outerjoin(Actor, Actor.id == Event.actor_id)
    .outerjoin(Subject, (Subject.id == Event.subject_id) & Event.kind.in_(ABOUT_PEOPLE))
)


class ActivityRepository(Repository[Event]):
    model = Event
    noun = "activity"

    def page(
        self,
        project_id: UUID,
        viewer_id: UUID,
        filters: ActivityFilters,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[Event, str | None, str | None], Item],
    ) -> Page[Item]:
        """One page of a project's events, the newest first; names are those that people have now."""
        wanted = SHOWN.where(Event.project_id == project_id, Event.kind.in_(filters.kinds or KINDS))
        if filters.actor_id:
            wanted = wanted.where(Event.actor_id == filters.actor_id)
        return page_of(
            self.session, wanted, sort=NEWEST,
            key=Event.subject_id,  # breaks no ties: numbers are unique
            cursors=cursors, scope=query_scope("activity", viewer_id, project_id, vars(filters)), request=request,
            make=lambda row: make(row[0], row[1], row[2]),
        )  # fmt: skip
