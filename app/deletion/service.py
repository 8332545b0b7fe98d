"""Leaving: an account is scheduled for deletion, and restored while there is time (SEC-20, SEC-29)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.api_tokens.service import ApiTokenService
from app.core.access import AccountStatus, Actor, Client, SiteRole
from app.core.address import network, truncated
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.mail_codes import MailCodes
from app.core.throttle import Budget, Throttle
from app.core.uow import UnitOfWork
from app.deletion.models import AccountDeletion
from app.deletion.repository import AccountDeletionRepository
from app.projects.service import ProjectService
from app.sessions.service import SessionService
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService

SEND_SCHEDULED = "deletion.send_scheduled"
MOST_NAMED = 100


@dataclass(frozen=True)
class DeletionRules:
    """Attributes: grace_days: between the wish and the erasing. links: tries of restore links by one network."""

    grace_days: int
    links: Budget


class DeletionService:
    """Args: codes: makes and reads the links that restore; their codes are not used."""

    def __init__(
        self,
        uow: UnitOfWork,
        deletions: AccountDeletionRepository,
        users: UserService,
        sessions: SessionService,
        api_tokens: ApiTokenService,
        projects: ProjectService,
        notices: SecurityNotices,
        codes: MailCodes,
        throttle: Throttle,
        rules: DeletionRules,
        events: Events,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._deletions = deletions
        self._users = users
        self._sessions = sessions
        self._api_tokens = api_tokens
        self._projects = projects
        self._notices = notices
        self._codes = codes
        self._throttle = throttle
        self._rules = rules
        self._events = events
        self._jobs = jobs
        self._clock = clock

    def schedule(self, actor: Actor, client: Client) -> datetime:
        """Have the caller's account deleted after the grace; the answer is when.

        The caller's other sessions end, API tokens stop, the rest is locked but for restoring.

        Raises:
            AppError: ``last_administrator``, ``owns_shared_projects`` with the projects.
        """
        with self._uow:
            administrators = self._users.active_administrators()
            user = self._held(actor.user_id)
            if user.status == AccountStatus.deletion_scheduled and user.deletion_scheduled_at is not None:
                return user.deletion_scheduled_at
            self._refuse(user, administrators)
            now = self._clock.now()
            due = now + timedelta(days=self._rules.grace_days)
            self._users.set_leaving(user, due)
            self._deletions.forget(user.id)
            wish = self._deletions.add(
                AccountDeletion(
                    id=new_id(), user_id=user.id, key_id=self._codes.key_id, mails=1, device=client.device,
                    ip=truncated(client.address), due_at=due, created_at=now,
                )
            )  # fmt: skip
            self._sessions.end_all(user.id, "leaving", but=actor.session_id)
            self._forget_facts(user.id)
            self._notices.record(AuditKind.deletion_scheduled, user=user.id, actor=user.id, client=client)
            self._events.record(EventKind.user_deletion_scheduled, subject=user.id, actor=user.id)
            self._jobs.defer(SEND_SCHEDULED, deletion_id=str(wish.id))
            return due

    def restore(self, actor: Actor, client: Client) -> User:
        """Undo the caller's deletion; where none is scheduled that is fine.

        Raises:
            AppError: ``write_conflict`` once the erasing has begun.
        """
        with self._uow:
            user = self._held(actor.user_id)
            if user.status == AccountStatus.deletion_scheduled and not self._undo(
                user, actor.user_id, client
            ):
                raise AppError(Code.write_conflict, "It is too late: this account is being erased.")
            return user

    def restore_by_link(self, token: str, client: Client) -> None:
        """Undo a deletion by its mail's link, once.

        Raises:
            AppError: ``token_expired_or_used``, ``rate_limited``.
        """
        self._throttle.spend([(self._rules.links, network(client.address))])
        identifier = self._codes.read_link(token)
        with self._uow:
            wish = self._deletions.find(identifier) if identifier else None
            user = self._users.hold(wish.user_id) if wish else None
            # Looked at again under the lock: of two who follow the link one finds the wish.
            current = self._deletions.of(user.id) if user else None
            if wish is None or user is None or current is None or current.id != wish.id:
                raise _expired()
            if user.status != AccountStatus.deletion_scheduled or not self._undo(user, None, client):
                raise _expired()

    def _undo(self, user: User, actor: UUID | None, client: Client) -> bool:
        """Make a held account what it was; not once the erasing has begun, which the answer tells."""
        wish = self._deletions.of(user.id)
        if wish is not None and wish.begun_at is not None:
            return False
        self._users.set_leaving(user, None)
        self._deletions.forget(user.id)
        self._forget_facts(user.id)
        self._notices.record(AuditKind.account_restored, user=user.id, actor=actor, client=client)
        self._events.record(EventKind.user_restored, subject=user.id, actor=actor)
        return True

    def _refuse(self, user: User, administrators: int) -> None:
        acts = user.role == SiteRole.admin and user.status == AccountStatus.active
        if acts and administrators <= 1:
            raise AppError(Code.last_administrator, "You are the last administrator. Name another one first.")
        shared = self._projects.shared_of(user.id, MOST_NAMED)
        if shared:
            raise AppError(
                Code.owns_shared_projects,
                "Others belong to projects that you own. Transfer or delete these first.",
                extra={"projects": [{"id": str(identifier), "name": name} for identifier, name in shared]},
            )

    def _forget_facts(self, user_id: UUID) -> None:
        self._sessions.forget_facts(user_id)
        self._api_tokens.forget_facts(user_id)

    def _held(self, user_id: UUID) -> User:
        user = self._users.hold(user_id)
        if user is None:
            raise not_found("account")
        return user


def _expired() -> AppError:
    return AppError(Code.token_expired_or_used, "This link has expired or was used.")
