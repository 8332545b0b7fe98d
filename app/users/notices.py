"""Telling people by mail what happened to their account, with device and place (ASVS 6.3.7)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.access import Client
from app.core.audit import AuditKind, AuditTrail
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.notices import NOTICES, OWN_MAILS
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
        letters: Letters,
    ) -> None:
        self._uow = uow
        self._users = users
        self._audit = audit
        self._jobs = jobs
        self._letters = letters

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(TELL, self.tell, attempts=TRIES_TO_MAIL)

    def record(
        self,
        kind: AuditKind,
        *,
        user: UUID | None,
        actor: UUID | None = None,
        client: Client | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """As ``AuditTrail.record``; and a mail where ``kind`` stands in ``NOTICES`` or ``OWN_MAILS``."""
        with self._uow:
            audit_id = self._audit.record(kind, user=user, actor=actor, client=client, data=data)
            if user is not None and (kind in NOTICES or kind in OWN_MAILS):
                self._jobs.defer(TELL, user_id=str(user), audit_id=str(audit_id))
            return audit_id

    def tell(self, user_id: str, audit_id: str) -> None:
        """The job: send the mail."""
        with self._uow.reading():
            user = self._users.find(UUID(user_id))
            event = self._audit.find(UUID(audit_id))
        if user is None or event is None:
            return
        kind, scene = AuditKind(event.kind), Scene.of(event)
        if kind in OWN_MAILS:
            self._letters.send(OWN_MAILS[kind], user, scene)
            return
        notice = NOTICES[kind]
        self._letters.send(
            "security_notice",
            user,
            scene,
            subject_of_notice=notice.subject,
            told=notice.told,
            advice=notice.advice,
        )
