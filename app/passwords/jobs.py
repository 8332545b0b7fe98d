"""Mails that let people set a password: codes are computed here, from the row, when the mail is written."""

from datetime import timedelta
from uuid import UUID

from app.config import Settings
from app.core.clock import Clock
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_codes import MailCodes
from app.core.uow import UnitOfWork
from app.passwords.repository import PasswordResetRepository
from app.passwords.resets import MAIL_RESET, PasswordResets
from app.registration.service import SEND_RESET
from app.users.service import UserService


class PasswordJobs:
    """Handlers; each may run twice, which sends one mail more."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: PasswordResetRepository,
        resets: PasswordResets,
        users: UserService,
        codes: MailCodes,
        letters: Letters,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._resets = resets
        self._users = users
        self._codes = codes
        self._letters = letters
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(MAIL_RESET, self.mail_reset, attempts=TRIES_TO_MAIL)
        jobs.register(SEND_RESET, self.send_reset)

    def send_reset(self, user_id: str, audit_id: str) -> None:
        """A registration made an account without a password: its owner chooses one (SEC-36)."""
        self._resets.begin_first(UUID(user_id), UUID(audit_id))

    def mail_reset(self, reset_id: str, first: int) -> None:
        """Send the mail with link and code, unless it is too late, or it was asked for an address without an account."""
        with self._uow.reading():
            row = self._rows.live(UUID(reset_id), self._clock.now())
            user = self._users.find(row.user_id) if row and row.user_id else None
        if row is None or user is None:
            return
        self._letters.send_link(
            "choose_password" if first else "reset_password",
            user,
            Scene.of(row),
            "reset-password",
            self._codes.link_token(row),
            code=self._codes.code(row),
            code_lives=timedelta(minutes=self._settings.reset_code_minutes),
            link_lives=timedelta(minutes=self._settings.reset_minutes),
        )
