"""Telling people by mail what happened to their account, with device and place (ASVS 6.3.7)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.config import Settings
from app.core.access import Client
from app.core.audit import AuditKind, AuditTrail
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.mail import Mailer
from app.core.mail_templates import render
from app.core.notices import NOTICES
from app.core.uow import UnitOfWork
from app.users.repository import UserRepository

TELL = "users.tell"


class SecurityNotices:
    """Writes the trail and, for kinds that have a notice, mails the owner: both in the caller's transaction."""

    def __init__(
        self,
        uow: UnitOfWork,
        users: UserRepository,
        audit: AuditTrail,
        jobs: JobQueue,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._uow = uow
        self._users = users
        self._audit = audit
        self._jobs = jobs
        self._mailer = mailer
        self._settings = settings

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(TELL, self.tell, attempts=TRIES_TO_MAIL)

    def record(
        self,
        kind: AuditKind,
        *,
        user: UUID,
        actor: UUID | None = None,
        client: Client | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """As ``AuditTrail.record``; and a mail where ``kind`` stands in ``NOTICES``."""
        with self._uow:
            audit_id = self._audit.record(kind, user=user, actor=actor, client=client, data=data)
            if kind in NOTICES:
                self._jobs.defer(TELL, user_id=str(user), audit_id=str(audit_id))
            return audit_id

    def tell(self, user_id: str, audit_id: str) -> None:
        """The job: send the mail."""
        with self._uow.reading():
            user = self._users.find(UUID(user_id))
            event = self._audit.find(UUID(audit_id))
        if user is None or event is None:
            return
        notice = NOTICES[AuditKind(event.kind)]
        self._mailer.send(
            render(
                "security_notice",
                to=user.email,
                product_name=self._settings.product_name,
                time_zone=user.time_zone or "UTC",
                subject_of_notice=notice.subject.format(product=self._settings.product_name),
                display_name=user.display_name,
                told=notice.told,
                advice=notice.advice,
                device=event.device or "an unknown device",
                place=event.ip or "an unknown network",
                at=event.created_at,
            )
        )
