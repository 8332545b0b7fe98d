"""Making copies, and telling by mail that one is ready."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.api_tokens.service import ApiTokenService
from app.config import Settings
from app.core.audit import AuditTrail
from app.core.clock import Clock
from app.core.jobs import HEAVY, TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_templates import moment
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.exports import views
from app.exports.archive import Archive, Pieces
from app.exports.models import Export, ExportState
from app.exports.repository import ExportRepository
from app.exports.service import BUILD, MAIL_READY, SECTIONS, TRIES, ExportService
from app.invitations.service import InvitationService
from app.passkeys.service import PasskeyService
from app.projects.service import ProjectService
from app.sessions.service import SessionService
from app.users.models import User
from app.users.service import UserService
from app.work.service import WorkService

logger = log(__name__)
BATCH = 500


class ExportJobs:
    """Handlers; each may run twice: a copy is made by one run, a mail may be sent twice."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: ExportRepository,
        exports: ExportService,
        users: UserService,
        sessions: SessionService,
        passkeys: PasskeyService,
        api_tokens: ApiTokenService,
        projects: ProjectService,
        invitations: InvitationService,
        audit: AuditTrail,
        letters: Letters,
        work: WorkService,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._exports = exports
        self._users = users
        self._sessions = sessions
        self._passkeys = passkeys
        self._api_tokens = api_tokens
        self._projects = projects
        self._invitations = invitations
        self._audit = audit
        self._letters = letters
        self._work = work
        self._settings = settings
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(BUILD, self.build, attempts=TRIES, queue=HEAVY)
        jobs.register(MAIL_READY, self.mail_ready, attempts=TRIES_TO_MAIL)

    def build(self, export_id: str) -> None:
        """Make the copy; what fails again and again ends as ``failed`` and is not tried for ever."""
        export = self._exports.begin(UUID(export_id))
        if export is None:
            return
        try:
            self._write(export)
        except Exception as error:
            if not self._exports.give_up(export):
                raise
            logger.exception("export_failed", export_id=export_id, error=type(error).__name__)

    def mail_ready(self, export_id: str) -> None:
        """Tell the owner, if the copy is still there."""
        with self._uow.reading():
            export = self._rows.find(UUID(export_id))
            user = self._users.find(export.user_id) if export else None
        if export is None or user is None or export.state != ExportState.ready:
            return
        good_until = moment(export.expires_at, ZoneInfo(user.time_zone or "UTC"))
        self._letters.send("export_ready", user, Scene.of(export), good_until=good_until)

    def _write(self, export: Export) -> None:
        user, count = self._users.get(export.user_id), 0

        def keep(piece: bytes) -> None:
            nonlocal count
            self._exports.keep(export, count, piece)
            count += 1

        pieces = Pieces(keep)
        archive = Archive(pieces, self._clock.now(), self._settings.product_name)
        for written, (title, name, rows) in enumerate(self._files(user)):
            self._work.progress(export.id, written, SECTIONS)
            archive.add(title, name, rows)
        archive.close()
        digest = pieces.finish()
        self._exports.finish(export, pieces.size, count, digest)

    def _files(self, user: User) -> Iterator[tuple[str, str, Iterator[views.Row]]]:
        yield "Account", "account.json", iter([views.account(user)])
        yield "Sessions", "sessions.json", map(views.session, self._sessions.all_of(user.id))
        yield (
            "Projects",
            "projects.json",
            (
                views.project(project)
                for project, _ in self._belonging(user.id)
                if project.owner_id == user.id
            ),
        )
        yield (
            "Memberships",
            "memberships.json",
            (
                views.membership(project, member)
                for project, member in self._belonging(user.id)
                if project.owner_id != user.id
            ),
        )
        yield "Invitations", "invitations.json", map(views.invitation, self._invited(user.email))
        yield "Passkeys", "passkeys.json", map(views.passkey, self._passkeys.all_of(user.id))
        yield "API tokens", "api_tokens.json", map(views.api_token, self._api_tokens.all_of(user.id))
        yield "Activity", "activity.json", map(views.activity, self._activity(user.id))

    def _belonging(self, user_id: UUID) -> Iterator[Any]:
        return in_batches(
            lambda after: self._projects.belonging(user_id, after, BATCH), lambda pair: pair[1].project_id
        )

    def _invited(self, email: str) -> Iterator[Any]:
        return in_batches(
            lambda after: self._invitations.answerable_by(email, after, BATCH), lambda row: row[0].id
        )

    def _activity(self, user_id: UUID) -> Iterator[Any]:
        def read(after: Any) -> list[Any]:
            with self._uow.reading():
                return self._audit.about(user_id, after, BATCH)

        return in_batches(read, lambda row: (row.created_at, row.id))


def in_batches(read: Callable[[Any], list[Any]], position: Callable[[Any], Any]) -> Iterator[Any]:
    """Rows one by one, read so many at a time.

    Args:
        read: the rows after a position; after none, the first ones.
        position: of a row.
    """
    after = None
    while rows := read(after):
        yield from rows
        if len(rows) < BATCH:
            return
        after = position(rows[-1])
