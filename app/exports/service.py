"""Copies of one's data: asked for, looked at, made, thrown away."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.access import Actor, Client
from app.core.address import truncated
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import Code, not_found
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.objects import Objects
from app.core.storage.interface import ObjectMissingError, StoredObject
from app.core.uow import UnitOfWork
from app.exports.models import Export, ExportState
from app.exports.repository import ExportRepository
from app.users.notices import SecurityNotices
from app.users.service import UserService
from app.work.service import WorkService

BUILD = "exports.build"
CONTENT = "/api/v1/me/exports/{export_id}/content"
"""Where it is downloaded."""
MAIL_READY = "exports.mail_ready"
TRIES = 3
PATIENCE = timedelta(hours=1)
"""A run that gives no sign of life for so long is one whose worker died."""
UNCLAIMED = timedelta(hours=24)
"""How long what a run stores may wait for its end; each sign of life begins it anew."""
BROKEN, INTERRUPTED = "internal_error", "interrupted"
TOLD = {
    BROKEN: "The copy could not be made. Ask for another one.",
    INTERRUPTED: "The copy was begun several times and never ended. Ask for another one.",
}
"""What the owner reads about each reason."""
SECTIONS = 9
"""JSON files of a copy; how many of them and of the files are in it is how far it is."""


@dataclass(frozen=True)
class Run:
    """One try to make a copy. Attributes: key: of the object that it stores."""

    export: Export
    key: str


class ExportService:
    """Args: days: how long a copy can be downloaded."""

    def __init__(
        self,
        uow: UnitOfWork,
        exports: ExportRepository,
        users: UserService,
        notices: SecurityNotices,
        jobs: JobQueue,
        objects: Objects,
        work: WorkService,
        clock: Clock,
        days: int,
    ) -> None:
        self._uow = uow
        self._exports = exports
        self._users = users
        self._notices = notices
        self._jobs = jobs
        self._objects = objects
        self._work = work
        self._clock = clock
        self._days = days

    def start(self, actor: Actor, client: Client) -> Export:
        """Have a copy made; where one is in the making it is answered, and no second one begins."""
        with self._uow:
            if self._users.hold(actor.user_id) is None:
                raise not_found("account")
            waiting = self._exports.in_the_making(actor.user_id)
            if waiting is not None:
                self._show(waiting)
                return waiting
            now = self._clock.now()
            export = self._exports.add(
                Export(
                    id=new_id(), user_id=actor.user_id, state=ExportState.queued.value, attempts=0,
                    device=client.device, ip=truncated(client.address), created_at=now,
                    expires_at=now + timedelta(days=self._days),
                )
            )  # fmt: skip
            self._exports.flush()
            self._show(export)
            self._jobs.defer(BUILD, export_id=str(export.id))
            self._notices.record(
                AuditKind.export_requested, user=actor.user_id, actor=actor.user_id, client=client
            )
            return export

    def get(self, actor: Actor, export_id: UUID) -> Export:
        """One of the caller's copies.

        Raises:
            AppError: ``not_found`` for somebody else's and for one that is too old.
        """
        with self._uow.reading():
            export = self._exports.require(export_id)
            if export.user_id != actor.user_id or export.expires_at <= self._clock.now():
                raise not_found("export")
            return export

    def sweep(self) -> int:
        """Take up or give up what a worker left half done, then delete what is too old; the answer is how many."""
        with self._uow:
            now = self._clock.now()
            for export in self._exports.unfinished_since(now - PATIENCE):
                if export.attempts < TRIES:
                    export.state = ExportState.queued.value
                    self._jobs.defer(BUILD, export_id=str(export.id))
                else:
                    self._fail(export, INTERRUPTED)
            self._exports.flush()
            return self._exports.sweep(now)

    def begin(self, export_id: UUID) -> Run | None:
        """For the job: begin a run, unless there is nothing left to do or another one is under way."""
        with self._uow:
            now = self._clock.now()
            export = self._exports.claim(export_id, now, now - PATIENCE)
            if export is None:
                return None
            self._exports.forget_parts(export_id)
            return Run(export, self._objects.promise("exports", UNCLAIMED))

    def prolong(self, run: Run) -> bool:
        """For the job: a sign of life; whether the run still counts."""
        with self._uow:
            self._objects.prolong(run.key, UNCLAIMED)
            return self._exports.prolong(run.export.id, run.export.attempts, self._clock.now())

    def finish(self, run: Run, stored: StoredObject) -> None:
        """For the job: the run is complete. Older copies go, and its owner is told.

        Raises:
            ObjectMissingError: it took so long that the sweep has what was stored.
        """
        with self._uow:
            current = self._current(run)
            if current is None:
                return
            if not self._objects.adopt(run.key):
                raise ObjectMissingError(run.key)
            now = self._clock.now()
            current.state, current.reason = ExportState.ready.value, None
            current.object_key, current.size, current.sha256 = run.key, stored.size, stored.sha256
            current.ready_at, current.expires_at = now, now + timedelta(days=self._days)
            self._exports.forget_others(current.user_id, current.id)
            self._work.finish(current.id, CONTENT.format(export_id=current.id))
            self._jobs.defer(MAIL_READY, export_id=str(current.id))

    def give_up(self, run: Run) -> bool:
        """For the job: a run failed. Whether it was the last one: then the copy has failed for good."""
        with self._uow:
            current = self._current(run)
            if current is None:
                return True
            self._objects.drop([run.key])
            last = current.attempts >= TRIES
            if last:
                self._fail(current, BROKEN)
            else:
                current.state = ExportState.queued.value
            return last

    def _current(self, run: Run) -> Export | None:
        """The row, held, while the run counts; where it does not, what it stored goes."""
        current = self._exports.current(run.export.id, run.export.attempts)
        if current is None:
            self._objects.drop([run.key])
        return current

    def _show(self, export: Export) -> None:
        """Let its owner see how far it is, under the same id."""
        self._work.begin(export.id, export.user_id, BUILD)

    def _fail(self, export: Export, reason: str) -> None:
        export.state, export.reason = ExportState.failed.value, reason
        self._exports.forget_parts(export.id)
        self._work.fail(export.id, Code.internal_error, TOLD[reason])
