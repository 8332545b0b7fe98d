"""Inviting: what the admins of a project do. Every change holds the project's row, then the invitation's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.access import Actor, Client, allow
from app.core.address import network
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.mail_codes import MailCodes
from app.core.pagination import Cursors, Page, PageRequest
from app.core.throttle import RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.invitations import policy
from app.invitations.budgets import InvitationBudgets
from app.invitations.models import Invitation, InvitationStatus
from app.invitations.repository import InvitationRepository
from app.invitations.service import closed, role_changes
from app.invitations.views import InvitationView
from app.projects.models import Project
from app.projects.service import ProjectService
from app.users.emails import email_key

SEND = "invitations.send"


@dataclass(frozen=True)
class InvitationRules:
    """Attributes: days: how long an invitation can be accepted."""

    days: int


class Inviting:
    """Answers and works the same whether or not an address has an account (SEC-12)."""

    def __init__(
        self,
        uow: UnitOfWork,
        invitations: InvitationRepository,
        projects: ProjectService,
        codes: MailCodes,
        cursors: Cursors,
        throttle: Throttle,
        budgets: InvitationBudgets,
        rules: InvitationRules,
        events: Events,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._invitations = invitations
        self._projects = projects
        self._codes = codes
        self._cursors = cursors
        self._throttle = throttle
        self._budgets = budgets
        self._rules = rules
        self._events = events
        self._jobs = jobs
        self._clock = clock

    def list_in(self, actor: Actor, project_id: UUID, request: PageRequest) -> Page[InvitationView]:
        """One page of a project's invitations, the newest first; closed ones stay in sight for a while.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``invalid_cursor``.
        """
        with self._uow.reading():
            _, role = self._projects.find(actor, project_id)
            allow(permitted=policy.can_invite(role))
            return self._invitations.page_in(
                project_id, actor.user_id, self._cursors, request,
                lambda row: InvitationView.of(row[0], row[1], row[2], self._clock.now()),
            )  # fmt: skip

    def create(self, actor: Actor, project_id: UUID, email: str, role: str, client: Client) -> InvitationView:
        """Invite an address, and send it a mail.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``, ``already_member``,
                ``invitation_pending``, ``rate_limited``.
        """
        self._spend(actor, client)
        key = email_key(email)
        with self._uow:
            project = self._hold(actor, project_id, role)
            if self._invitations.address_belongs(project.id, key):
                raise AppError(Code.already_member, "Who has this address belongs to the project already.")
            self._make_room(project, key)
            self._count_mail(key)
            now = self._clock.now()
            invitation = self._invitations.add(
                Invitation(
                    id=new_id(), project_id=project.id, email=email.strip(), email_key=key, role=role,
                    invited_by=actor.user_id, key_id=self._codes.key_id, mails=1, created_at=now,
                    expires_at=self._expiry(now),
                )
            )  # fmt: skip
            self._invitations.flush()
            self._tell(EventKind.invitation_created, actor, invitation, None, role)
            self._send(invitation)
            return self._view(invitation)

    def resend(self, actor: Actor, project_id: UUID, invitation_id: UUID, client: Client) -> InvitationView:
        """Send the mail once more and let the time begin anew, also for one that ran out.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``, ``invitation_closed``,
                ``rate_limited``.
        """
        self._spend(actor, client)
        with self._uow:
            invitation = self._require(actor, project_id, invitation_id)
            if not invitation.open:
                raise closed()
            self._count_mail(invitation.email_key)
            invitation.mails += 1
            invitation.expires_at = self._expiry(self._clock.now())
            self._invitations.flush()
            self._tell(EventKind.invitation_resent, actor, invitation, invitation.role, invitation.role)
            self._send(invitation)
            return self._view(invitation)

    def revoke(self, actor: Actor, project_id: UUID, invitation_id: UUID) -> None:
        """Take an invitation back; doing it twice is doing it once.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``, ``invitation_closed``
                for one that was answered.
        """
        with self._uow:
            invitation = self._require(actor, project_id, invitation_id)
            now = self._clock.now()
            if invitation.status(now) in {InvitationStatus.accepted, InvitationStatus.declined}:
                raise closed()
            if invitation.open:
                invitation.revoked_at = now
                self._tell(EventKind.invitation_revoked, actor, invitation, invitation.role, None)

    def _hold(self, actor: Actor, project_id: UUID, role: str) -> Project:
        """The project, locked, in which the caller may offer that role now."""
        project, own = self._projects.hold(actor, project_id)
        allow(permitted=policy.can_invite(own))
        allow(permitted=policy.may_offer(own, role), detail="You may invite to roles below your own only.")
        project.ensure_editable()
        return project

    def _require(self, actor: Actor, project_id: UUID, invitation_id: UUID) -> Invitation:
        """An invitation of that project, both locked."""
        project, own = self._projects.hold(actor, project_id)
        allow(permitted=policy.can_invite(own))
        invitation = self._invitations.of_project(project_id, invitation_id)
        if invitation is None:
            raise not_found("invitation")
        allow(permitted=policy.may_offer(own, invitation.role))
        project.ensure_editable()
        return invitation

    def _make_room(self, project: Project, key: str) -> None:
        """Close the invitation of that address that ran out; one that did not stays in the way."""
        now = self._clock.now()
        waiting = self._invitations.open_for(project.id, key)
        if waiting is None:
            return
        if waiting.pending(now):
            detail = "This address is invited already, and the invitation is open."
            raise AppError(Code.invitation_pending, detail)
        waiting.revoked_at = now
        self._invitations.flush()

    def _spend(self, actor: Actor, client: Client) -> None:
        self._throttle.spend([
            (self._budgets.account, str(actor.user_id)),
            (self._budgets.address, network(client.address)),
        ])  # fmt: skip

    def _count_mail(self, key: str) -> None:
        """Last, and undone with the rest: who may not invite must not use up what an address is sent."""
        spent = self._throttle.count(self._budgets.mail, key)
        if spent.exceeded:
            raise RateLimitedError(spent.budget, spent.reset)

    def _expiry(self, now: datetime) -> datetime:
        return now + timedelta(days=self._rules.days)

    def _send(self, invitation: Invitation) -> None:
        self._jobs.defer(SEND, invitation_id=str(invitation.id), mail=invitation.mails)

    def _tell(
        self, kind: EventKind, actor: Actor, invitation: Invitation, before: str | None, after: str | None
    ) -> None:
        self._events.record(
            kind, subject=invitation.id, project=invitation.project_id, actor=actor.user_id,
            changes=role_changes(before, after),
        )  # fmt: skip

    def _view(self, invitation: Invitation) -> InvitationView:
        _, project_name, inviter_name = self._invitations.shown(invitation.id)
        return InvitationView.of(invitation, project_name, inviter_name, self._clock.now())
