"""Handing a project to another owner, and telling them."""

from uuid import UUID

from app.core.access import AccountStatus, Actor, Client, allow
from app.core.audit import AuditKind, AuditTrail
from app.core.errors import AppError, FieldCode, invalid
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.uow import UnitOfWork
from app.members import policy
from app.members.service import MemberService
from app.projects.models import Project, ProjectRole
from app.projects.service import ProjectService
from app.projects.views import ProjectView
from app.users.service import UserService

TELL_HEIR = "members.tell_heir"


class Transfers:
    def __init__(
        self,
        uow: UnitOfWork,
        projects: ProjectService,
        members: MemberService,
        users: UserService,
        audit: AuditTrail,
        jobs: JobQueue,
        letters: Letters,
    ) -> None:
        self._uow = uow
        self._projects = projects
        self._members = members
        self._users = users
        self._audit = audit
        self._jobs = jobs
        self._letters = letters

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(TELL_HEIR, self.tell_heir, attempts=TRIES_TO_MAIL)

    def transfer(self, actor: Actor, project_id: UUID, heir_id: UUID, client: Client) -> ProjectView:
        """Make a member the owner; who owned it becomes an admin.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``validation_failed`` for somebody who cannot own it,
                ``project_archived``, ``project_deleted``.
        """
        with self._uow:
            project, role = self._projects.hold(actor, project_id)
            allow(permitted=policy.can_transfer(role))
            project.ensure_editable()
            self._require_heir(project, actor.user_id, heir_id)
            self._members.hand_over(project, actor.user_id, heir_id, actor.user_id)
            self._projects.set_owner(project, heir_id, actor)
            told = self._audit.record(
                AuditKind.project_transferred,
                user=heir_id,
                actor=actor.user_id,
                client=client,
                data={"project_id": str(project.id)},
            )
            self._jobs.defer(TELL_HEIR, project_id=str(project.id), user_id=str(heir_id), audit_id=str(told))
            return ProjectView.of(project, ProjectRole.admin.value)

    def tell_heir(self, project_id: str, user_id: str, audit_id: str) -> None:
        """The job: send the new owner a mail, if they still own it."""
        with self._uow.reading():
            heir, event = self._users.find(UUID(user_id)), self._audit.find(UUID(audit_id))
            project = self._projects.owned_by(UUID(user_id), UUID(project_id))
            giver = self._users.find(event.actor_id) if event and event.actor_id else None
        if heir is None or event is None or project is None:
            return
        self._letters.send(
            "project_transferred",
            heir,
            Scene.of(event),
            project_name=project.name,
            giver=giver.display_name if giver else "the former owner",
        )

    def _require_heir(self, project: Project, owner_id: UUID, heir_id: UUID) -> None:
        """Held, so that the account cannot begin to leave at the same moment.

        Raises:
            AppError: ``validation_failed``.
        """
        if heir_id == owner_id:
            raise _cannot("The project is yours already.")
        if not self._members.belongs(project.id, heir_id):
            raise _cannot("Not a member of this project.")
        heir = self._users.hold(heir_id)
        if heir is None or heir.status != AccountStatus.active:
            raise _cannot("This member cannot own a project now.")


def _cannot(detail: str) -> AppError:
    return invalid("user_id", FieldCode.invalid_choice, detail)
