"""SQL of invitations."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import aliased

from app.core.access import AccountStatus
from app.core.db import rows_changed
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.invitations.models import Invitation
from app.projects.models import Project, ProjectMember, ProjectStatus
from app.users.models import User

Item = TypeVar("Item")
Shown = Select[Invitation, str, str]
NEWEST = Sort(Invitation.created_at, True, datetime.fromisoformat)
OPEN = (
    Invitation.accepted_at.is_(None),
    Invitation.declined_at.is_(None),
    Invitation.revoked_at.is_(None),
)
ENDED = func.coalesce(
    Invitation.accepted_at, Invitation.declined_at, Invitation.revoked_at, Invitation.expires_at
)
Owner = aliased(User)


def _shown() -> Shown:
    """Invitations with the project's name and the inviter's, which is None when that account is gone."""
    return (
        select(Invitation, Project.name, User.display_name)
        .join(Project, Project.id == Invitation.project_id)
        .outerjoin(User, User.id == Invitation.invited_by)
    )


def _answerable(now: datetime) -> Shown:
    """Those that still stand: neither closed nor run out, and the project is not about to go."""
    return (
        _shown()
        .join(Owner, Owner.id == Project.owner_id)
        .where(
            *OPEN,
            Invitation.expires_at > now,
            Project.status != ProjectStatus.deleted.value,
            Owner.status != AccountStatus.deletion_scheduled.value,
        )
    )


class InvitationRepository(Repository[Invitation]):
    model = Invitation
    noun = "invitation"

    def page_in(
        self,
        project_id: UUID,
        viewer_id: UUID,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[Any], Item],
    ) -> Page[Item]:
        """One page of a project's invitations, the closed ones too, the newest first."""
        return self._page(
            _shown().where(Invitation.project_id == project_id),
            cursors, query_scope("invitations", viewer_id, project_id), request, make,
        )  # fmt: skip

    def page_for(
        self,
        email_key: str,
        now: datetime,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[Any], Item],
    ) -> Page[Item]:
        """One page of what an address can answer, the newest first."""
        return self._page(
            _answerable(now).where(Invitation.email_key == email_key),
            cursors, query_scope("my-invitations", email_key), request, make,
        )  # fmt: skip

    def shown(self, invitation_id: UUID) -> Any:
        """An invitation with project's and inviter's name, or ``None``."""
        return self.session.execute(_shown().where(Invitation.id == invitation_id)).one_or_none()

    def answerable(self, invitation_id: UUID, now: datetime) -> Any:
        """As ``shown``, while it still stands."""
        return self.session.execute(_answerable(now).where(Invitation.id == invitation_id)).one_or_none()

    def answerable_after(self, email_key: str, now: datetime, after: UUID | None, most: int) -> list[Any]:
        """What an address can answer, by id, so many after that one."""
        statement = _answerable(now).where(Invitation.email_key == email_key).order_by(Invitation.id)
        if after is not None:
            statement = statement.where(Invitation.id > after)
        return list(self.session.execute(statement.limit(most)))

    def of_project(self, project_id: UUID, invitation_id: UUID) -> Invitation | None:
        """An invitation, locked, if it is one of that project (SEC-40)."""
        statement = (
            select(Invitation)
            .where(Invitation.id == invitation_id, Invitation.project_id == project_id)
            .with_for_update()
        )
        return self.session.execute(statement).scalar_one_or_none()

    def open_for(self, project_id: UUID, email_key: str) -> Invitation | None:
        """The open one for an address, locked; it may have run out."""
        statement = (
            select(Invitation)
            .where(Invitation.project_id == project_id, Invitation.email_key == email_key, *OPEN)
            .with_for_update()
        )
        return self.session.execute(statement).scalar_one_or_none()

    def locked(self, ids: list[UUID]) -> list[Invitation]:
        """Invitations as they are now, locked in the order of their ids."""
        statement = (
            select(Invitation)
            .where(Invitation.id.in_(ids))
            .order_by(Invitation.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        return list(self.session.execute(statement).scalars())

    def address_belongs(self, project_id: UUID, email_key: str) -> bool:
        """Whether the account of an address is a member; the same work where there is no account (SEC-12)."""
        statement = (
            select(ProjectMember.user_id)
            .join(User, User.id == ProjectMember.user_id)
            .where(ProjectMember.project_id == project_id, User.email_key == email_key)
        )
        return self.session.execute(statement).scalar_one_or_none() is not None

    def role_of(self, project_id: UUID, user_id: UUID) -> str | None:
        """Of a member, as it is now; ``None`` for others."""
        statement = select(ProjectMember.role).where(
            ProjectMember.project_id == project_id, ProjectMember.user_id == user_id
        )
        return self.session.execute(statement).scalar_one_or_none()

    def delete_all(self, email_key: str) -> None:
        self.session.execute(delete(Invitation).where(Invitation.email_key == email_key))

    def sweep(self, before: datetime) -> int:
        """Delete what was closed or ran out before that moment; the answer is how many."""
        return rows_changed(self.session, delete(Invitation).where(before > ENDED))

    def _page(
        self,
        statement: Shown,
        cursors: Cursors,
        scope: bytes,
        request: PageRequest,
        make: Callable[[Any], Item],
    ) -> Page[Item]:
        return page_of(
            self.session, statement, sort=NEWEST, key=Invitation.id, cursors=cursors, scope=scope,
            request=request, make=make,
        )  # fmt: skip
