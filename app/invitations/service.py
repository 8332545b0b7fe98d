"""Being invited: what the person who has the address sees and answers.

Whoever answers is bound to the address (docs/decisions/0026). Rows are locked in one order, so that of two who decide
at once one wins: projects, then accounts, then invitations, each by id.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.access import AccountStatus, Actor
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.mail_codes import MailCodes
from app.core.pagination import Cursors, Page, PageRequest
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.invitations.models import Invitation
from app.invitations.repository import InvitationRepository
from app.invitations.views import InvitationPreview, InvitationView
from app.members.service import MemberService
from app.projects.models import Project, ProjectRole, ProjectStatus
from app.projects.service import ProjectService
from app.projects.views import ProjectView
from app.users.emails import email_key
from app.users.models import User
from app.users.service import UserService

logger = log(__name__)
WELCOMED_AT_ONCE = 100


class InvitationService:
    def __init__(
        self,
        uow: UnitOfWork,
        invitations: InvitationRepository,
        users: UserService,
        projects: ProjectService,
        members: MemberService,
        codes: MailCodes,
        cursors: Cursors,
        events: Events,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._invitations = invitations
        self._users = users
        self._projects = projects
        self._members = members
        self._codes = codes
        self._cursors = cursors
        self._events = events
        self._clock = clock

    def preview(self, token: str) -> InvitationPreview:
        """What the mail's link invites to; looking changes nothing.

        Raises:
            AppError: ``invitation_closed``, also for a link that is none.
        """
        identifier = self._codes.read_link(token)
        with self._uow.reading():
            found = self._invitations.answerable(identifier, self._clock.now()) if identifier else None
        if found is None:
            raise closed()
        invitation, project_name, inviter = found
        return InvitationPreview(
            invitation.email, invitation.role, project_name,
            {"display_name": inviter} if inviter is not None else None, invitation.expires_at,
        )  # fmt: skip

    def list_own(self, actor: Actor, request: PageRequest) -> Page[InvitationView]:
        """One page of what the caller's address can answer, the newest first.

        Raises:
            AppError: ``invalid_cursor``.
        """
        now = self._clock.now()
        with self._uow.reading():
            user = self._users.get(actor.user_id)
            return self._invitations.page_for(
                email_key(user.email), now, self._cursors, request,
                lambda row: InvitationView.of(row[0], row[1], row[2], now),
            )  # fmt: skip

    def accept(self, actor: Actor, invitation_id: UUID) -> ProjectView:
        """Accept an invitation for the caller's address; once more is fine for who still belongs.

        Raises:
            AppError: ``not_found`` for one that is for another address, ``invitation_closed``, ``already_member``,
                ``project_archived``.
        """
        with self._uow:
            invitation = self._own(actor, invitation_id)
            return self._join(actor, invitation)

    def accept_by_token(self, actor: Actor, token: str) -> ProjectView:
        """Accept by the mail's link.

        Raises:
            AppError: ``invitation_email_mismatch`` for another account than that of the address, else as ``accept``.
        """
        identifier = self._codes.read_link(token)
        with self._uow:
            invitation = self._invitations.find(identifier) if identifier else None
            if invitation is None:
                raise closed()
            if email_key(self._users.get(actor.user_id).email) != invitation.email_key:
                detail = "This invitation is for another address than that of your account."
                raise AppError(Code.invitation_email_mismatch, detail)
            return self._join(actor, invitation)

    def decline(self, actor: Actor, invitation_id: UUID) -> None:
        """Turn an invitation down; doing it twice is doing it once.

        Raises:
            AppError: ``not_found`` for one that is for another address, ``invitation_closed``.
        """
        with self._uow:
            self._own(actor, invitation_id)
            invitation = self._invitations.find(invitation_id, lock=True)
            if invitation is not None and invitation.declined_at is not None:
                return
            now = self._clock.now()
            if invitation is None or not invitation.pending(now):
                raise closed()
            invitation.declined_at = now
            self._events.record(
                EventKind.invitation_declined, subject=invitation.id, project=invitation.project_id,
                actor=actor.user_id, changes=role_changes(invitation.role, None),
            )  # fmt: skip

    def welcome(self, user: User) -> None:
        """Accept what waits for the address of a new account, inside the transaction that makes it.

        What cannot be accepted now stays open, and whatever goes wrong here: the account is made all the same.
        """
        try:
            with self._uow.item():
                self._accept_all(user)
        except Exception as error:  # noqa: BLE001 - nobody's registration may fail because somebody invited them
            logger.warning("welcome_failed", user_id=str(user.id), error=type(error).__name__)

    def answerable_by(self, email: str, after: UUID | None, most: int) -> list[Any]:
        """What an address can answer, for an export: rows of invitation, project's and inviter's name, by id."""
        with self._uow.reading():
            return self._invitations.answerable_after(email_key(email), self._clock.now(), after, most)

    def forget_address(self, email: str) -> None:
        """Forget what an address was invited to, inside the caller's transaction: its account is erased."""
        with self._uow:
            self._invitations.delete_all(email_key(email))

    def sweep(self, keep_days: int) -> int:
        """Delete what was closed or ran out so long ago; the answer is how many."""
        with self._uow:
            return self._invitations.sweep(self._clock.now() - timedelta(days=keep_days))

    def _own(self, actor: Actor, invitation_id: UUID) -> Invitation:
        """An invitation for the caller's address."""
        invitation = self._invitations.find(invitation_id)
        if invitation is None or email_key(self._users.get(actor.user_id).email) != invitation.email_key:
            raise not_found("invitation")
        return invitation

    def _join(self, actor: Actor, seen: Invitation) -> ProjectView:
        """The story of accepting, on rows that nobody else can change meanwhile."""
        project = next(iter(self._projects.lock([seen.project_id])), None)
        if project is None or project.status == ProjectStatus.deleted:
            raise closed()
        people = self._hold({actor.user_id, project.owner_id})
        invitation = next(iter(self._invitations.locked([seen.id])), None)
        role = self._invitations.role_of(project.id, actor.user_id)
        if invitation is not None and invitation.accepted_at is not None and role is not None:
            return ProjectView.of(project, role)
        if invitation is None or not invitation.pending(self._clock.now()):
            raise closed()
        if _leaves(people[project.owner_id]):
            raise closed()
        if role is not None:
            raise AppError(Code.already_member, "You belong to this project already.")
        project.ensure_editable()
        self._admit(project, invitation, actor.user_id)
        return ProjectView.of(project, invitation.role)

    def _accept_all(self, user: User) -> None:
        now = self._clock.now()
        waiting = self._invitations.answerable_after(user.email_key, now, None, WELCOMED_AT_ONCE)
        if not waiting:
            return
        projects = {each.id: each for each in self._projects.lock({row[0].project_id for row in waiting})}
        people = self._hold({project.owner_id for project in projects.values()})
        for invitation in self._invitations.locked([row[0].id for row in waiting]):
            project = projects.get(invitation.project_id)
            if project is None or project.status != ProjectStatus.active or _leaves(people[project.owner_id]):
                continue
            if invitation.pending(now):
                self._admit(project, invitation, user.id)

    def _admit(self, project: Project, invitation: Invitation, user_id: UUID) -> None:
        invitation.accepted_at = self._clock.now()
        self._members.admit(project, user_id, ProjectRole(invitation.role), user_id)
        self._events.record(
            EventKind.invitation_accepted, subject=invitation.id, project=project.id, actor=user_id,
            changes=role_changes(None, invitation.role),
        )  # fmt: skip
        self._invitations.flush()

    def _hold(self, ids: set[UUID]) -> dict[UUID, User | None]:
        """Accounts, locked, so that none of them begins to leave or moves to another address now."""
        return {user_id: self._users.hold(user_id) for user_id in sorted(ids)}


def _leaves(owner: User | None) -> bool:
    """Whether the project goes with its owner soon."""
    return owner is None or owner.status == AccountStatus.deletion_scheduled


def closed() -> AppError:
    """The same, whatever closed it."""
    return AppError(Code.invitation_closed, "This invitation is no longer open. Ask for another one.")


def role_changes(before: str | None, after: str | None) -> dict[str, Any]:
    """What an event tells of an invitation: the role, never the address."""
    return {"role": {"before": before, "after": after}}
