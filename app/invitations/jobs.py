"""The mail of an invitation, sent by the worker: its link is computed here, from the row, when the mail is written."""

from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.clock import Clock
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters
from app.core.mail_codes import MailCodes
from app.core.mail_templates import moment
from app.core.uow import UnitOfWork
from app.invitations.inviting import SEND
from app.invitations.repository import InvitationRepository

PAGE = "accept-invitation"
UTC = ZoneInfo("UTC")
"""Nobody knows the clock of an address; that of its account would tell that there is one."""


class InvitationJobs:
    """A handler; it may run twice, which sends one mail more and changes nothing."""

    def __init__(
        self,
        uow: UnitOfWork,
        invitations: InvitationRepository,
        codes: MailCodes,
        letters: Letters,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._invitations = invitations
        self._codes = codes
        self._letters = letters
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(SEND, self.send, attempts=TRIES_TO_MAIL)

    def send(self, invitation_id: str, mail: int) -> None:
        """Send the mail with the link, unless it is too late or a newer one was asked for."""
        with self._uow.reading():
            found = self._invitations.answerable(UUID(invitation_id), self._clock.now())
        if found is None:
            return
        invitation, project_name, inviter = found
        if invitation.mails != mail:
            return
        self._letters.send_link_to(
            invitation.email,
            "invitation",
            PAGE,
            self._codes.link_token(invitation),
            inviter=inviter or "Somebody",
            project_name=project_name,
            role=invitation.role,
            good_until=moment(invitation.expires_at, UTC),
        )
