"""Periodic jobs: what is kept for a while only, and who throws it away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from app.api_tokens.service import ApiTokenService
from app.config import Settings
from app.core.access_watch import AccessChanges
from app.core.audit import AuditTrail
from app.core.clock import Clock
from app.core.events import Events
from app.core.idempotency import IdempotencyRecords
from app.core.jobs import JobQueue
from app.core.objects import Objects
from app.core.throttle import Throttle
from app.core.uow import UnitOfWork
from app.deletion.purge import AccountPurge
from app.email_change.service import EmailChangeService
from app.exports.service import ExportService
from app.files.jobs import FileJobs
from app.files.service import FileService
from app.invitations.service import InvitationService
from app.passkeys.service import PasskeyService
from app.passwords.resets import PasswordResets
from app.projects.service import ProjectService
from app.registration.service import RegistrationService
from app.second_factor.second_step import SecondStep
from app.sessions.service import SessionService
from app.uploads.service import UploadService
from app.work.service import WorkService


class Sweeps:
    """Each table that grows has a line here; its model names the setting and the index."""

    ABOUT: ClassVar[dict[str, str]] = {
        "throttle.sweep": "Deletes counters of budgets whose window ended",
        "idempotency.sweep": "Deletes stored answers that are too old to be repeated",
        "events.sweep": "Deletes old events",
        "audit.sweep": "Deletes old lines of the security trail",
        "access_changes.sweep": "Deletes notes of changes that every process has heard of",
        "sessions.sweep": "Deletes sessions that ended long ago",
        "registrations.sweep": "Deletes attempts to register that nobody confirmed",
        "projects.purge_trash": "Removes projects that lay in the trash long enough",
        "jobs.sweep": "Deletes jobs that failed or were cancelled a week ago",
        "mfa_challenges.sweep": "Deletes sign-ins that waited for a second step",
        "passwords.sweep": "Deletes mails' rows that let people set a password",
        "email_changes.sweep": "Deletes wishes for another address that nobody can undo any more",
        "passkeys.sweep": "Deletes questions that no authenticator answered",
        "api_tokens.sweep": "Deletes API tokens that ended long ago",
        "accounts.purge": "Erases accounts whose time to think better of it is over",
        "exports.sweep": "Takes up copies that a worker left half made, deletes old ones",
        "invitations.sweep": "Deletes invitations that ended long ago",
        "files.purge_trash": "Removes files that lay in the trash of their project long enough",
        "files.rescue": "Begins anew with files that wait for the worker and have no job",
        "storage.sweep": "Removes what writers that died left half stored",
        "work.sweep": "Deletes what was told of work that people asked for a week ago",
    }
    """What docs/operations.md says about each; they are spread over the hour in this order."""
    NAMES: ClassVar[tuple[str, ...]] = tuple(ABOUT)
    EVERY_MINUTE: ClassVar[dict[str, str]] = {
        "uploads.sweep": "Forgets uploads that took too long; their room is free again",
        "objects.sweep": "Removes objects that are nobody's, or not any more",
        "jobs.rescue": "Takes up jobs whose worker died, see [the worker](#the-worker-and-its-jobs)",
    }

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        settings: Settings,
        throttle: Throttle,
        records: IdempotencyRecords,
        events: Events,
        audit: AuditTrail,
        access_changes: AccessChanges,
        sessions: SessionService,
        registrations: RegistrationService,
        projects: ProjectService,
        second_step: SecondStep,
        resets: PasswordResets,
        changes: EmailChangeService,
        passkeys: PasskeyService,
        api_tokens: ApiTokenService,
        purge: AccountPurge,
        exports: ExportService,
        invitations: InvitationService,
        work: WorkService,
        files: FileService,
        uploads: UploadService,
        objects: Objects,
        file_jobs: FileJobs,
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._settings = settings
        self._throttle = throttle
        self._records = records
        self._events = events
        self._audit = audit
        self._access_changes = access_changes
        self._sessions = sessions
        self._registrations = registrations
        self._projects = projects
        self._second_step = second_step
        self._resets = resets
        self._changes = changes
        self._passkeys = passkeys
        self._api_tokens = api_tokens
        self._purge = purge
        self._exports = exports
        self._invitations = invitations
        self._work = work
        self._files = files
        self._uploads = uploads
        self._objects = objects
        self._file_jobs = file_jobs

    def register_with(self, jobs: JobQueue) -> None:
        keep = self._settings
        hourly: dict[str, Callable[[], object]] = {
            "throttle.sweep": self._in_one(self._throttle.sweep),
            "idempotency.sweep": self._in_one(self._records.sweep),
            "events.sweep": self._in_one(lambda: self._events.sweep(self._before(keep.event_retention_days))),
            "audit.sweep": self._in_one(lambda: self._audit.sweep(self._before(keep.audit_retention_days))),
            "access_changes.sweep": self._in_one(self._access_changes.sweep),
            "sessions.sweep": lambda: self._sessions.sweep(keep.session_retention_days),
            "registrations.sweep": self._registrations.sweep,
            "projects.purge_trash": lambda: self._projects.purge_trash(keep.trash_days),
            "jobs.sweep": self._in_one(jobs.sweep),
            "mfa_challenges.sweep": self._second_step.sweep,
            "passwords.sweep": self._resets.sweep,
            "email_changes.sweep": self._changes.sweep,
            "passkeys.sweep": self._passkeys.sweep,
            "api_tokens.sweep": lambda: self._api_tokens.sweep(keep.session_retention_days),
            "accounts.purge": self._purge.run,
            "exports.sweep": self._exports.sweep,
            "invitations.sweep": lambda: self._invitations.sweep(keep.invitation_retention_days),
            "files.purge_trash": lambda: self._files.purge_trash(keep.trash_days),
            "files.rescue": self._file_jobs.rescue,
            "storage.sweep": self._objects.sweep_unfinished,
            "work.sweep": self._work.sweep,
        }
        for name in self.NAMES:
            jobs.register(name, hourly[name], cron=f"{self.minute(name)} * * * *")
        jobs.register("uploads.sweep", self._uploads.sweep, attempts=4, cron="* * * * *")
        jobs.register("objects.sweep", self._objects.sweep, attempts=4, cron="* * * * *")
        # Its tries are over before it is due again.
        jobs.register("jobs.rescue", self._in_one(jobs.rescue), attempts=4, cron="* * * * *")

    @classmethod
    def minute(cls, name: str) -> int:
        """At which minute of each hour it runs."""
        return cls.NAMES.index(name) * 60 // len(cls.NAMES)

    def _before(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)

    def _in_one(self, sweep: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            with self._uow:
                sweep()

        return run
