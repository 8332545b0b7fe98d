"""Mails about a change of address: to the new one and to the old one."""

from datetime import timedelta
from uuid import UUID

from app.config import Settings
from app.core.clock import Clock
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_codes import MailCodes
from app.core.uow import UnitOfWork
from app.email_change.models import EmailChange
from app.email_change.repository import EmailChangeRepository
from app.email_change.service import MAIL_NEW, MAIL_OLD
from app.users.models import User
from app.users.service import UserService

ASKED = "Your {product} address is being changed"
TOLD_ASKED = (
    "somebody, perhaps you, wants another address for your account. It is changed as soon as the new one is confirmed."
    " The new one is:"
)
DONE = "Your {product} address was changed"
TOLD_DONE = "your account has another address now, and this one belongs to it no longer. The new one is:"


class EmailChangeJobs:
    """Handlers; each may run twice, which sends one mail more."""

    def __init__(
        self,
        uow: UnitOfWork,
        changes: EmailChangeRepository,
        users: UserService,
        codes: MailCodes,
        cancels: MailCodes,
        letters: Letters,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._changes = changes
        self._users = users
        self._codes = codes
        self._cancels = cancels
        self._letters = letters
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(MAIL_NEW, self.mail_new, attempts=TRIES_TO_MAIL)
        jobs.register(MAIL_OLD, self.mail_old, attempts=TRIES_TO_MAIL)

    def mail_new(self, change_id: str) -> None:
        """Link and code to the new address, unless it is too late for them."""
        change, user = self._read(change_id)
        if change is None or user is None:
            return
        if (
            user.pending_email != change.new_email
            or change.voided_at
            or change.expires_at <= self._clock.now()
        ):
            return
        self._letters.send_link(
            "confirm_email_change",
            user,
            Scene.of(change),
            "confirm-email-change",
            self._codes.link_token(change),
            to=change.new_email,
            code=self._codes.code(change),
            code_lives=timedelta(minutes=self._settings.verification_code_minutes),
            link_lives=timedelta(hours=self._settings.email_change_hours),
        )

    def mail_old(self, change_id: str, done: int) -> None:
        """Tell the old address, with the link to object."""
        change, user = self._read(change_id)
        if change is None or user is None or change.cancelled_at or change.cancel_until <= self._clock.now():
            return
        subject, told = (DONE, TOLD_DONE) if done else (ASKED, TOLD_ASKED)
        self._letters.send_link(
            "old_address",
            user,
            Scene.of(change),
            "cancel-email-change",
            self._cancels.link_token(change),
            to=change.old_email,
            subject_of_notice=subject,
            told=told,
            new_address=change.new_email,
            link_lives=timedelta(hours=self._settings.email_cancel_hours),
        )

    def _read(self, change_id: str) -> tuple[EmailChange | None, User | None]:
        with self._uow.reading():
            change = self._changes.find(UUID(change_id))
            return change, self._users.find(change.user_id) if change else None
