"""Making copies, and telling by mail that one is ready."""

from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.jobs import HEAVY, TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_templates import moment
from app.core.storage.interface import ObjectStore
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.exports.building import Building
from app.exports.models import ExportState
from app.exports.repository import ExportRepository
from app.exports.service import BUILD, MAIL_READY, TRIES, ExportService, Run
from app.users.service import UserService

logger = log(__name__)


class ExportJobs:
    """Handlers; each may run twice: a copy is made by one run, a mail may be sent twice."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: ExportRepository,
        exports: ExportService,
        users: UserService,
        building: Building,
        store: ObjectStore,
        letters: Letters,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._exports = exports
        self._users = users
        self._building = building
        self._store = store
        self._letters = letters

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(BUILD, self.build, attempts=TRIES, queue=HEAVY)
        jobs.register(MAIL_READY, self.mail_ready, attempts=TRIES_TO_MAIL)

    def build(self, export_id: str) -> None:
        """Make the copy; what fails again and again ends as ``failed`` and is not tried for ever."""
        run = self._exports.begin(UUID(export_id))
        if run is None:
            return
        try:
            self._store_copy(run)
        except Exception as error:
            if not self._exports.give_up(run):
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

    def _store_copy(self, run: Run) -> None:
        user = self._users.get(run.export.user_id)
        self._exports.finish(run, self._store.put(run.key, self._building.pieces(run, user)))
