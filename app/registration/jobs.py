"""Mails of registration, sent by the worker: codes are computed here, from the row, when the mail is written."""

from datetime import timedelta
from uuid import UUID

from app.config import Settings
from app.core.audit import AuditTrail
from app.core.clock import Clock
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.mail import Mailer
from app.core.mail_codes import MailCodes
from app.core.mail_templates import mail_link, render
from app.core.uow import UnitOfWork
from app.registration.repository import RegistrationRepository
from app.registration.service import SEND_VERIFICATION, TELL_OWNER
from app.users.service import UserService


class RegistrationJobs:
    """Handlers; each may run twice, which sends one mail more and changes nothing."""

    def __init__(
        self,
        uow: UnitOfWork,
        registrations: RegistrationRepository,
        users: UserService,
        codes: MailCodes,
        audit: AuditTrail,
        mailer: Mailer,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._registrations = registrations
        self._users = users
        self._codes = codes
        self._audit = audit
        self._mailer = mailer
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(SEND_VERIFICATION, self.send_verification, attempts=TRIES_TO_MAIL)
        jobs.register(TELL_OWNER, self.tell_owner, attempts=TRIES_TO_MAIL)

    def send_verification(self, registration_id: str, mail: int) -> None:
        """Send the mail with link and code, unless it is too late or a newer one was asked for."""
        with self._uow.reading():
            row = self._registrations.find(UUID(registration_id))
        if row is None or row.mails != mail or row.expires_at <= self._clock.now():
            return
        token = self._codes.link_token(row)
        self._mailer.send(
            render(
                "verify_email",
                to=row.email,
                product_name=self._settings.product_name,
                display_name=row.display_name,
                code=self._codes.code(row),
                token=token,
                link=mail_link(self._settings.links_base, "verify-email", token),
                code_lives=timedelta(minutes=self._settings.verification_code_minutes),
                link_lives=timedelta(hours=self._settings.verification_hours),
                device=row.device or "an unknown device",
                place=row.ip or "an unknown network",
                at=row.created_at,
            )
        )

    def tell_owner(self, user_id: str, audit_id: str) -> None:
        """Tell the owner of a known address that somebody tried to register with it."""
        with self._uow.reading():
            user = self._users.find(UUID(user_id))
            told = self._audit.find(UUID(audit_id))
        if user is None or told is None:
            return
        self._mailer.send(
            render(
                "already_registered",
                to=user.email,
                product_name=self._settings.product_name,
                display_name=user.display_name,
                device=told.device or "an unknown device",
                place=told.ip or "an unknown network",
                at=told.created_at,
            )
        )
