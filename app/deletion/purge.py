"""Erasing accounts whose time has come. docs/privacy.md says what goes, what stays, and why."""

from uuid import UUID

from app.core.access import AccountStatus
from app.core.audit import AuditKind, AuditTrail
from app.core.clock import Clock
from app.core.errors import AppError
from app.core.events import EventKind, Events
from app.core.idempotency import IdempotencyRecords
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.deletion.repository import AccountDeletionRepository, Position
from app.invitations.service import InvitationService
from app.projects.service import ProjectService
from app.registration.service import RegistrationService
from app.sessions.service import SessionService
from app.users.service import UserService

logger = log(__name__)
BATCH = 100


class AccountPurge:
    """Erases in steps, each a transaction of moderate size; a step that was cut off is done by the next run."""

    def __init__(
        self,
        uow: UnitOfWork,
        deletions: AccountDeletionRepository,
        users: UserService,
        sessions: SessionService,
        registrations: RegistrationService,
        invitations: InvitationService,
        projects: ProjectService,
        records: IdempotencyRecords,
        audit: AuditTrail,
        events: Events,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._deletions = deletions
        self._users = users
        self._sessions = sessions
        self._registrations = registrations
        self._invitations = invitations
        self._projects = projects
        self._records = records
        self._audit = audit
        self._events = events
        self._clock = clock

    def run(self) -> int:
        """Erase every account that is due; the answer is how many. One that fails does not keep the others.

        Raises:
            AppError: the last failure, so that the job is tried again.
        """
        erased, failure = 0, None
        after: Position | None = None
        while True:
            with self._uow.reading():
                due = self._deletions.due(self._clock.now(), after, BATCH)
            for wish in due:
                try:
                    erased += self.erase(wish.user_id)
                except AppError as error:
                    logger.warning("account_not_erased", user_id=str(wish.user_id), code=error.code.value)
                    failure = error
            if len(due) < BATCH:
                break
            after = (due[-1].due_at, due[-1].id)
        if failure is not None:
            raise failure
        return erased

    def erase(self, user_id: UUID) -> bool:
        """Erase one account if it is due; whether this call did it."""
        if not self._begin(user_id):
            return False
        while self._projects.erase_owned(user_id):
            pass
        while self._projects.erase_memberships(user_id):
            pass
        while self._erase_events(user_id):
            pass
        return self._finish(user_id)

    def _begin(self, user_id: UUID) -> bool:
        """Pass the point of no return, under the account's lock: from here on nothing restores it."""
        with self._uow:
            user = self._users.hold(user_id)
            wish = self._deletions.of(user_id) if user else None
            if user is None or wish is None or user.status != AccountStatus.deletion_scheduled:
                return False
            if wish.due_at > self._clock.now():
                return False
            if self._projects.shared_of(user_id, 1):
                # Somebody joined during the grace. Their project is not ours to erase; see docs/privacy.md.
                logger.warning("account_owns_shared_projects", user_id=str(user_id))
                return False
            wish.begun_at = wish.begun_at or self._clock.now()
            self._sessions.end_all(user_id, "erased")
            return True

    def _erase_events(self, user_id: UUID) -> int:
        """Under the account's lock: once another worker has finished, what tells of that must stay."""
        with self._uow:
            return self._events.forget_person(user_id) if self._users.hold(user_id) else 0

    def _finish(self, user_id: UUID) -> bool:
        """What is left, with the account's row: of two workers one finds it."""
        with self._uow:
            user = self._users.hold(user_id)
            if user is None or user.status != AccountStatus.deletion_scheduled:
                return False
            self._deletions.anonymise_audit(user_id)
            self._events.forget_person(user_id)
            self._records.forget_account(user_id)
            self._registrations.forget_address(user.email)
            self._invitations.forget_address(user.email)
            self._users.erase(user)
            self._audit.record(AuditKind.account_purged, user=None)
            self._events.record(EventKind.user_purged, subject=user_id, actor=None)
        logger.info("account_erased", user_id=str(user_id))
        return True
