"""Mails about a change of address: to the new one, to the old one, to the owner of a taken one."""

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
from app.email_change.models import EmailChange
from app.email_change.repository import EmailChangeRepository
from app.email_change.service import MAIL_NEW, MAIL_OLD, MAIL_OWNER
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
        audit: AuditTrail,
        mailer: Mailer,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._changes = changes
        self._users = users
        self._codes = codes
        self._cancels = cancels
        self._audit = audit
        self._mailer = mailer
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(MAIL_NEW, self.mail_new, attempts=TRIES_TO_MAIL)
        jobs.register(MAIL_OLD, self.mail_old, attempts=TRIES_TO_MAIL)
        jobs.register(MAIL_OWNER, self.mail_owner, attempts=TRIES_TO_MAIL)

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
        token = self._codes.link_token(change)
        self._mailer.send(
            render(
                "confirm_email_change",
                to=change.new_email,
                product_name=self._settings.product_name,
                time_zone=user.time_zone or "UTC",
                display_name=user.display_name,
                code=self._codes.code(change),
                token=token,
                link=mail_link(self._settings.links_base, "confirm-email-change", token),
                code_lives=timedelta(minutes=self._settings.verification_code_minutes),
                link_lives=timedelta(hours=self._settings.email_change_hours),
                device=change.device or "an unknown device",
                place=change.ip or "an unknown network",
                at=change.created_at,
            )
        )

    def mail_old(self, change_id: str, done: int) -> None:
        """Tell the old address, with the link to object."""
        change, user = self._read(change_id)
        if change is None or user is None or change.cancelled_at or change.cancel_until <= self._clock.now():
            return
        subject, told = (DONE, TOLD_DONE) if done else (ASKED, TOLD_ASKED)
        token = self._cancels.link_token(change)
        self._mailer.send(
            render(
                "old_address",
                to=change.old_email,
                product_name=self._settings.product_name,
                time_zone=user.time_zone or "UTC",
                subject_of_notice=subject.format(product=self._settings.product_name),
                told=told,
                new_address=change.new_email,
                display_name=user.display_name,
                token=token,
                link=mail_link(self._settings.links_base, "cancel-email-change", token),
                link_lives=timedelta(hours=self._settings.email_cancel_hours),
                device=change.device or "an unknown device",
                place=change.ip or "an unknown network",
                at=change.created_at,
            )
        )

    def mail_owner(self, user_id: str, audit_id: str) -> None:
        """Tell the owner of a taken address that somebody wanted it."""
        with self._uow.reading():
            user = self._users.find(UUID(user_id))
            event = self._audit.find(UUID(audit_id))
        if user is None or event is None:
            return
        self._mailer.send(
            render(
                "address_taken",
                to=user.email,
                product_name=self._settings.product_name,
                time_zone=user.time_zone or "UTC",
                display_name=user.display_name,
                device=event.device or "an unknown device",
                place=event.ip or "an unknown network",
                at=event.created_at,
            )
        )

    def _read(self, change_id: str) -> tuple[EmailChange | None, User | None]:
        with self._uow.reading():
            change = self._changes.find(UUID(change_id))
            return change, self._users.find(change.user_id) if change else None
