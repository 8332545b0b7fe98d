"""Invitations to projects: sent by their admins, answered by who has the address."""

from app.core.mail_codes import MailCodes
from app.core.pagination import Cursors
from app.invitations.budgets import InvitationBudgets
from app.invitations.inviting import InvitationRules, Inviting
from app.invitations.jobs import InvitationJobs
from app.invitations.repository import InvitationRepository
from app.invitations.service import InvitationService
from app.members.service import MemberService
from app.projects.service import ProjectService
from app.users.service import UserService
from app.wiring.foundations import Foundations


def build_invitations(
    base: Foundations, users: UserService, projects: ProjectService, members: MemberService
) -> InvitationService:
    settings, rows = base.settings, InvitationRepository(base.uow)
    cursors, links = Cursors(base.ring.derive("cursor")), base.ring.derive("invitation-link")
    codes = MailCodes("hfi1", links, links)
    service: InvitationService = base.add(
        InvitationService(base.uow, rows, users, projects, members, codes, cursors, base.events, base.clock)
    )
    base.add(
        Inviting(
            base.uow, rows, projects, codes, cursors, base.throttle, InvitationBudgets.of(settings),
            InvitationRules(settings.invitation_days), base.events, base.jobs, base.clock,
        )
    )  # fmt: skip
    InvitationJobs(base.uow, rows, codes, base.letters, base.clock).register_with(base.jobs)
    return service
