"""Who belongs to a project, and as what. Every change holds the project's row, so that they come one after the other."""

from typing import Any
from uuid import UUID

from app.core.access import Actor, allow
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.members import policy
from app.members.repository import MemberRepository
from app.members.views import MemberView
from app.projects.models import Project, ProjectMember, ProjectRole
from app.projects.service import ProjectService


class MemberService:
    def __init__(
        self,
        uow: UnitOfWork,
        members: MemberRepository,
        projects: ProjectService,
        cursors: Cursors,
        events: Events,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._members = members
        self._projects = projects
        self._cursors = cursors
        self._events = events
        self._clock = clock

    def list_of(self, actor: Actor, project_id: UUID, request: PageRequest) -> Page[MemberView]:
        """One page of a project's members; addresses are shown to its admins.

        Raises:
            AppError: ``not_found``, ``invalid_cursor``.
        """
        with self._uow.reading():
            _, role = self._projects.find(actor, project_id)
            shown = policy.sees_addresses(role)
            return self._uow.lately(
                lambda: self._members.page(
                    project_id,
                    actor.user_id,
                    self._cursors,
                    request,
                    lambda row: MemberView.of(row, with_address=shown),
                ),
                project_id,
            )

    def change_role(self, actor: Actor, project_id: UUID, user_id: UUID, role: str) -> MemberView:
        """Give a member below oneself another role below one's own.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``last_owner``, ``project_archived``, ``project_deleted``.
        """
        with self._uow:
            project, own, member = self._managed(actor, project_id, user_id)
            allow(permitted=policy.may_change(own, member.role) and policy.may_grant(own, role))
            project.ensure_editable()
            if member.role != role:
                self._change(project, member, ProjectRole(role), actor.user_id)
            self._members.flush()
            row: Any = self._members.shown(project_id, user_id)
            return MemberView.of(row, with_address=policy.sees_addresses(own))

    def remove(self, actor: Actor, project_id: UUID, user_id: UUID) -> None:
        """Take a member below oneself out of the project; oneself by ``leave``.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``last_owner``, ``project_archived``, ``project_deleted``.
        """
        with self._uow:
            project, own, member = self._managed(actor, project_id, user_id)
            allow(permitted=policy.may_change(own, member.role))
            project.ensure_editable()
            self._end(project, member, EventKind.member_removed, actor.user_id)

    def leave(self, actor: Actor, project_id: UUID) -> None:
        """End one's own membership; an archived project may be left, too, and leaving twice is leaving once.

        Raises:
            AppError: ``not_found``, ``last_owner``.
        """
        with self._uow:
            if self._members.has_left(project_id, actor.user_id):
                return
            project, own = self._projects.hold(actor, project_id)
            member = self._require(project, actor.user_id)
            self._spare_the_owner(own, member)
            self._end(project, member, EventKind.member_left, actor.user_id)

    def admit(self, project: Project, user_id: UUID, role: ProjectRole, actor: UUID | None) -> None:
        """Make somebody a member, inside the caller's transaction, which holds the project's row.

        Args:
            actor: who did it; None for nobody.
        """
        with self._uow:
            self._members.add(
                ProjectMember(
                    project_id=project.id, user_id=user_id, role=role.value, joined_at=self._clock.now()
                )
            )
            self._tell(project, EventKind.member_added, user_id, actor, None, role.value)

    def belongs(self, project_id: UUID, user_id: UUID) -> bool:
        """Whether somebody is a member, inside the caller's transaction."""
        with self._uow.reading():
            return self._members.of(project_id, user_id) is not None

    def hand_over(self, project: Project, owner_id: UUID, heir_id: UUID, actor: UUID) -> None:
        """Make a member the owner and the owner an admin, inside the caller's transaction.

        Raises:
            AppError: ``not_found`` where the heir is no member.
        """
        with self._uow:
            heir = self._require(project, heir_id)
            # The owner first: at no moment are there two.
            self._change(project, self._require(project, owner_id), ProjectRole.admin, actor)
            self._members.flush()
            self._change(project, heir, ProjectRole.owner, actor)
            self._members.flush()

    def _managed(self, actor: Actor, project_id: UUID, user_id: UUID) -> tuple[Project, str, ProjectMember]:
        """The held project, the caller's role in it, and the member whom the caller wants to change.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``last_owner``.
        """
        project, own = self._projects.hold(actor, project_id)
        allow(permitted=policy.can_manage(own))
        member = self._require(project, user_id)
        self._spare_the_owner(own, member)
        return project, own, member

    def _require(self, project: Project, user_id: UUID) -> ProjectMember:
        member = self._members.of(project.id, user_id)
        if member is None:
            raise not_found("member")
        return member

    def _spare_the_owner(self, own: str, member: ProjectMember) -> None:
        """The owner cannot be changed by the owner either; nobody else may at all (SEC-42)."""
        if own == ProjectRole.owner and member.role == ProjectRole.owner:
            raise AppError(Code.last_owner, "A project always has one owner. Transfer it first.")

    def _change(self, project: Project, member: ProjectMember, role: ProjectRole, actor: UUID) -> None:
        before, member.role = member.role, role.value
        self._tell(project, EventKind.member_role_changed, member.user_id, actor, before, role.value)

    def _end(self, project: Project, member: ProjectMember, kind: EventKind, actor: UUID) -> None:
        self._members.remove(project.id, member.user_id)
        self._tell(project, kind, member.user_id, actor, member.role, None)

    def _tell(
        self,
        project: Project,
        kind: EventKind,
        user_id: UUID,
        actor: UUID | None,
        before: str | None,
        after: str | None,
    ) -> None:
        changes = {"role": {"before": before, "after": after}}
        self._events.record(kind, subject=user_id, actor=actor, project=project.id, changes=changes)
        self._projects.forget_facts(project, user_id)
