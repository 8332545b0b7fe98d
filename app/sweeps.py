"""Periodic jobs: what is kept for a while only, and who throws it away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from app.config import Settings
from app.core.audit import AuditTrail
from app.core.clock import Clock
from app.core.events import Events
from app.core.idempotency import IdempotencyRecords
from app.core.jobs import JobQueue
from app.core.throttle import Throttle
from app.core.uow import UnitOfWork
from app.projects.service import ProjectService
from app.registration.service import RegistrationService
from app.sessions.service import SessionService


class Sweeps:
    """Each table that grows has a line here; its model names the setting and the index."""

    NAMES: ClassVar[tuple[str, ...]] = (
        "throttle.sweep", "idempotency.sweep", "events.sweep", "audit.sweep", "sessions.sweep",
        "registrations.sweep", "projects.purge_trash", "jobs.sweep",
    )  # fmt: skip

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        settings: Settings,
        throttle: Throttle,
        records: IdempotencyRecords,
        events: Events,
        audit: AuditTrail,
        sessions: SessionService,
        registrations: RegistrationService,
        projects: ProjectService,
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._settings = settings
        self._throttle = throttle
        self._records = records
        self._events = events
        self._audit = audit
        self._sessions = sessions
        self._registrations = registrations
        self._projects = projects

    def register_with(self, jobs: JobQueue) -> None:
        keep = self._settings
        hourly: dict[str, Callable[[], object]] = {
            "throttle.sweep": self._in_one(self._throttle.sweep),
            "idempotency.sweep": self._in_one(self._records.sweep),
            "events.sweep": self._in_one(lambda: self._events.sweep(self._before(keep.event_retention_days))),
            "audit.sweep": self._in_one(lambda: self._audit.sweep(self._before(keep.audit_retention_days))),
            "sessions.sweep": lambda: self._sessions.sweep(keep.session_retention_days),
            "registrations.sweep": self._registrations.sweep,
            "projects.purge_trash": lambda: self._projects.purge_trash(keep.trash_days),
            "jobs.sweep": self._in_one(jobs.sweep),
        }
        for number, name in enumerate(self.NAMES):
            jobs.register(name, hourly[name], cron=f"{number * 60 // len(self.NAMES)} * * * *")

    def _before(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)

    def _in_one(self, sweep: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            with self._uow:
                sweep()

        return run
