"""SQL of memberships."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, select

from app.core.events import MEMBER_KINDS, Event, EventKind
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.projects.models import ProjectMember
from app.users.models import User

Item = TypeVar("Item")
OLDEST = Sort(ProjectMember.joined_at, False, datetime.fromisoformat)
SHOWN = select(ProjectMember, User.display_name, User.email).join(User, User.id == ProjectMember.user_id)


class MemberRepository(Repository[ProjectMember]):
    model = ProjectMember
    noun = "member"

    def page(
        self,
        project_id: UUID,
        viewer_id: UUID,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[Any], Item],
    ) -> Page[Item]:
        """One page of a project's members, who joined first comes first."""
        return page_of(
            self.session, SHOWN.where(ProjectMember.project_id == project_id), sort=OLDEST,
            key=ProjectMember.user_id, cursors=cursors, scope=query_scope("members", viewer_id, project_id),
            request=request, make=make,
        )  # fmt: skip

    def shown(self, project_id: UUID, user_id: UUID) -> Any:
        """A membership with the account's display name and address, or ``None``."""
        wanted = SHOWN.where(ProjectMember.project_id == project_id, ProjectMember.user_id == user_id)
        return self.session.execute(wanted).one_or_none()

    def of(self, project_id: UUID, user_id: UUID) -> ProjectMember | None:
        return self.session.get(ProjectMember, (project_id, user_id))

    def has_left(self, project_id: UUID, user_id: UUID) -> bool:
        """Whether the last that is told of somebody in a project is that they left it."""
        told = select(Event.kind).where(
            Event.subject_id == user_id, Event.kind.in_(MEMBER_KINDS), Event.project_id == project_id
        )
        last = self.session.execute(told.order_by(Event.xid.desc(), Event.seq.desc()).limit(1)).scalar()
        return last == EventKind.member_left

    def remove(self, project_id: UUID, user_id: UUID) -> None:
        """Delete the row; whoever changes members holds the project's row."""
        self.session.execute(
            delete(ProjectMember).where(
                ProjectMember.project_id == project_id, ProjectMember.user_id == user_id
            )
        )
