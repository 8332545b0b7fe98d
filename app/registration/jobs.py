"""Mails of registration, sent by the worker: codes are computed here, from the row, when the mail is written."""

from datetime import timedelta
from uuid import UUID

from app.config import Settings
from app.core.clock import Clock
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_codes import MailCodes
from app.core.uow import UnitOfWork
from app.registration.repository import RegistrationRepository
from app.registration.service import SEND_VERIFICATION


class RegistrationJobs:
    """Handlers; each may run twice, which sends one mail more and changes nothing."""

    def __init__(
        self,
        uow: UnitOfWork,
        registrations: RegistrationRepository,
        codes: MailCodes,
        letters: Letters,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._registrations = registrations
        self._codes = codes
        self._letters = letters
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(SEND_VERIFICATION, self.send_verification, attempts=TRIES_TO_MAIL)

    def send_verification(self, registration_id: str, mail: int) -> None:
        """Send the mail with link and code, unless it is too late or a newer one was asked for."""
        with self._uow.reading():
            row = self._registrations.find(UUID(registration_id))
        if row is None or row.mails != mail or row.expires_at <= self._clock.now():
            return
        self._letters.send_link(
            "verify_email",
            row,
            Scene.of(row),
            "verify-email",
            self._codes.link_token(row),
            code=self._codes.code(row),
            code_lives=timedelta(minutes=self._settings.verification_code_minutes),
            link_lives=timedelta(hours=self._settings.verification_hours),
        )
