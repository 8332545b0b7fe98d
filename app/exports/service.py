"""Copies of one's data: asked for, looked at, downloaded, thrown away."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.access import Actor, Client
from app.core.address import truncated
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.ids import new_id
from app.core.jobs import JobQueue
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
"""A run that takes longer is one whose worker died."""
BROKEN, INTERRUPTED = "internal_error", "interrupted"
TOLD = {
    BROKEN: "The copy could not be made. Ask for another one.",
    INTERRUPTED: "The copy was begun several times and never ended. Ask for another one.",
}
"""What the owner reads about each reason."""
SECTIONS = 8
"""Files of a copy; how many are written is how far it is."""


@dataclass(frozen=True)
class Download:
    """An archive on its way out; ``plain`` is its name in ASCII."""

    name: str
    plain: str
    size: int
    pieces: Iterator[bytes]


class ExportService:
    """Args: days: how long a copy can be downloaded."""

    def __init__(
        self,
        uow: UnitOfWork,
        exports: ExportRepository,
        users: UserService,
        notices: SecurityNotices,
        jobs: JobQueue,
        work: WorkService,
        clock: Clock,
        days: int,
        product_name: str,
    ) -> None:
        self._uow = uow
        self._exports = exports
        self._users = users
        self._notices = notices
        self._jobs = jobs
        self._work = work
        self._clock = clock
        self._days = days
        self._product_name = product_name

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

    def tag(self, actor: Actor, export_id: UUID) -> str:
        """The ETag of a copy that can be downloaded: its SHA-256.

        Raises:
            AppError: ``not_found``, ``write_conflict`` while it is not ready.
        """
        return self._ready(actor, export_id)[1].hex()

    def download(self, actor: Actor, export_id: UUID, client: Client) -> Download:
        """Hand a copy out, in pieces; each is read when the one before is gone.

        Raises:
            AppError: as ``tag``.
        """
        export, _ = self._ready(actor, export_id)
        with self._uow:
            self._notices.record(
                AuditKind.export_downloaded, user=actor.user_id, actor=actor.user_id, client=client
            )
        made = f"{export.created_at:%Y-%m-%d}.zip"
        return Download(
            f"{self._product_name} {made}", f"export-{made}", export.size or 0, self._pieces(export)
        )

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

    def begin(self, export_id: UUID) -> Export | None:
        """For the job: begin a run, unless there is nothing left to do or another one is under way."""
        with self._uow:
            now = self._clock.now()
            export = self._exports.claim(export_id, now, now - PATIENCE)
            if export is not None:
                self._exports.forget_parts(export_id)
            return export

    def keep(self, export: Export, number: int, piece: bytes) -> None:
        """For the job: store a piece of its run."""
        with self._uow:
            self._exports.add_part(export.id, export.attempts, number, piece)

    def finish(self, export: Export, size: int, parts: int, sha256: bytes) -> None:
        """For the job: the run is complete. Older copies go, and its owner is told."""
        with self._uow:
            current = self._exports.current(export.id, export.attempts)
            if current is None:
                return
            now = self._clock.now()
            current.state, current.reason = ExportState.ready.value, None
            current.size, current.parts, current.sha256 = size, parts, sha256
            current.ready_at, current.expires_at = now, now + timedelta(days=self._days)
            self._exports.forget_others(current.user_id, current.id)
            self._work.finish(current.id, CONTENT.format(export_id=current.id))
            self._jobs.defer(MAIL_READY, export_id=str(current.id))

    def give_up(self, export: Export) -> bool:
        """For the job: a run failed. Whether it was the last one: then the copy has failed for good."""
        with self._uow:
            current = self._exports.current(export.id, export.attempts)
            if current is None:
                return True
            last = current.attempts >= TRIES
            if last:
                self._fail(current, BROKEN)
            else:
                current.state = ExportState.queued.value
                self._exports.forget_parts(current.id)
            return last

    def _show(self, export: Export) -> None:
        """Let its owner see how far it is, under the same id."""
        self._work.begin(export.id, export.user_id, BUILD, SECTIONS)

    def _fail(self, export: Export, reason: str) -> None:
        export.state, export.reason = ExportState.failed.value, reason
        self._exports.forget_parts(export.id)
        self._work.fail(export.id, Code.internal_error, TOLD[reason])

    def _ready(self, actor: Actor, export_id: UUID) -> tuple[Export, bytes]:
        """A copy that can be downloaded, and its SHA-256."""
        export = self.get(actor, export_id)
        if export.state != ExportState.ready or export.sha256 is None:
            raise AppError(Code.write_conflict, f"This export is not ready: it is {export.state}.")
        return export, export.sha256

    def _pieces(self, export: Export) -> Iterator[bytes]:
        for number in range(export.parts or 0):
            with self._uow.reading():
                piece = self._exports.part(export.id, export.attempts, number)
            if piece is None:
                # Deleted meanwhile; the client sees an answer that is shorter than it was told.
                return
            yield piece
