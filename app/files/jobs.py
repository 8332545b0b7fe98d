"""What the worker does with a new file: scan it, make smaller pictures of it, tell that it is infected."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.core.clock import Clock
from app.core.events import EventKind, Events
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters
from app.core.media.faults import FileFault, PictureError
from app.core.media.guarded import previews_of
from app.core.media.previews import SIZES, Preview
from app.core.media.scanner import Scanner, ScannerUnavailableError, TooLargeToScanError
from app.core.objects import Objects
from app.core.storage.interface import ObjectStore, StoredObject
from app.core.storage.seekable import opened
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.files.models import FailureCode, File, FilePreview, FileState
from app.files.repository import FileRepository
from app.files.service import PROCESS
from app.projects.service import ProjectService
from app.users.service import UserService

logger = log(__name__)
TRIES = 5
MAIL_QUARANTINED = "files.mail_quarantined"
LEFT_BEHIND = timedelta(hours=1)
RESCUED_AT_ONCE = 100


class FileJobs:
    """Handlers; each may run twice. How often a file was begun with is counted in its row, before anything is done with it:
    one that kills its worker is given up like one that fails.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        files: FileRepository,
        projects: ProjectService,
        users: UserService,
        objects: Objects,
        store: ObjectStore,
        scanner: Scanner | None,
        events: Events,
        letters: Letters,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._files = files
        self._projects = projects
        self._users = users
        self._objects = objects
        self._store = store
        self._scanner = scanner
        self._events = events
        self._letters = letters
        self._jobs = jobs
        self._clock = clock

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(PROCESS, self.process, attempts=TRIES + 1)
        jobs.register(MAIL_QUARANTINED, self.mail_quarantined, attempts=TRIES_TO_MAIL)

    def process(self, file_id: str) -> None:
        """Bring a file from ``processing`` to where it ends."""
        with self._uow:
            file = self._files.begin_processing(UUID(file_id))
        if file is None:
            return
        if file.attempts > TRIES:
            # Nobody knows how far it came: where files are scanned, it counts as not scanned and stays closed.
            gave_up = FailureCode.scan_failed if self._scanner else FailureCode.processing_failed
            self._end(file, FileState.failed, gave_up)
        elif self._is_clean(file):
            self._picture(file)

    def mail_quarantined(self, file_id: str, user_id: str) -> None:
        """Tell a person that a file is infected, if it is still there."""
        with self._uow.reading():
            file, user = self._files.find(UUID(file_id)), self._users.find(UUID(user_id))
            project = self._projects.named(file.project_id) if file else None
        if file is None or user is None or project is None or file.state != FileState.quarantined:
            return
        self._letters.tell("file_quarantined", user, file_name=file.name, project_name=project.name)

    def rescue(self) -> None:
        """Begin anew with files whose job is gone; the sweep ``files.rescue`` calls this."""
        with self._uow:
            for file_id in self._files.unprocessed_since(self._clock.now() - LEFT_BEHIND, RESCUED_AT_ONCE):
                self._jobs.defer(PROCESS, file_id=str(file_id))

    def _is_clean(self, file: File) -> bool:
        """Whether the scanner, if there is one, has nothing against it; else the file ends here.

        Raises:
            ScannerUnavailableError: it does not answer; the job comes back.
        """
        if self._scanner is None:
            return True
        try:
            with opened(self._store, file.object_key, file.size) as stream:
                verdict = self._scanner.scan(stream)
        except TooLargeToScanError:
            self._end(file, FileState.failed, FailureCode.too_large_to_scan)
            return False
        except ScannerUnavailableError:
            if file.attempts < TRIES:
                raise
            self._end(file, FileState.failed, FailureCode.scan_failed)
            return False
        if verdict.infected:
            logger.warning("file_infected", file_id=str(file.id), signature=verdict.signature)
            self._quarantine(file)
        return verdict.clean

    def _picture(self, file: File) -> None:
        if not file.content_type.startswith("image/"):
            self._end(file, FileState.ready)
            return
        try:
            with opened(self._store, file.object_key, file.size) as stream:
                previews = previews_of(stream)
        except PictureError as error:
            if error.code == FileFault.no_decoder:
                self._end(file, FileState.ready)
            else:
                self._end(file, FileState.failed, FailureCode(error.code.value))
            return
        self._keep(file, previews)

    def _keep(self, file: File, previews: Sequence[Preview]) -> None:
        kept: list[tuple[int, Preview, str, StoredObject]] = []
        for edge, preview in zip(SIZES, previews, strict=True):
            key = self._objects.promise("previews")
            kept.append((edge, preview, key, self._store.put(key, [preview.data])))
        with self._uow:
            if not self._files.settle(file.id, FileState.ready, None, previews=True):
                self._objects.drop([key for _, _, key, _ in kept])
                return
            for edge, preview, key, stored in kept:
                self._objects.adopt(key)
                self._files.add_preview(
                    FilePreview(
                        file_id=file.id, edge=edge, width=preview.width, height=preview.height, size=stored.size,
                        sha256=stored.sha256, object_key=key,
                    )
                )  # fmt: skip

    def _end(self, file: File, state: FileState, failure: FailureCode | None = None) -> None:
        with self._uow:
            self._files.settle(file.id, state, failure.value if failure else None, previews=False)

    def _quarantine(self, file: File) -> None:
        """Shut it away, and tell whoever uploaded it and whoever owns the project."""
        with self._uow:
            if not self._files.settle(
                file.id, FileState.quarantined, FailureCode.infected.value, previews=False
            ):
                return
            told = {"name": {"before": file.name, "after": file.name}}
            self._events.record(
                EventKind.file_quarantined, subject=file.id, project=file.project_id, actor=None, changes=told
            )
            project = self._projects.named(file.project_id)
            people = {file.uploaded_by, project.owner_id if project else None} - {None}
            for person in sorted(people, key=str):
                self._jobs.defer(MAIL_QUARANTINED, file_id=str(file.id), user_id=str(person))
