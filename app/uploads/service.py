"""The life of an upload, whichever way it comes: room is reserved, content arrives, a file is made of it.

The content moves outside of any transaction (REL-02). A row says what is expected before the first byte; a file exists only when
its object is complete; whatever ends in between is undone by the sweep.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.config import Settings
from app.core.access import Actor
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.objects import Objects
from app.core.storage.interface import StoredObject
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.files.models import File, FileState
from app.files.policy import needs_processing
from app.files.service import PROCESS, FileService
from app.files.views import FileView
from app.uploads.models import Upload, UploadKind
from app.uploads.quotas import make_place, room_for
from app.uploads.repository import UploadRepository

logger = log(__name__)
LONGEST_TYPE = 127
SWEEP_BATCH = 200


@dataclass(frozen=True)
class UploadRules:
    """Attributes: largest: bytes of a file. patience: how long an upload may take. scanned: whether files are scanned."""

    largest: int
    patience: timedelta
    scanned: bool

    @classmethod
    def of(cls, settings: Settings) -> "UploadRules":
        return cls(
            settings.upload_max_bytes, timedelta(hours=settings.upload_hours), bool(settings.clamd_url)
        )


@dataclass(frozen=True)
class Arrived:
    """Content that is in the storage, looked at, and not anybody's yet."""

    key: str
    stored: StoredObject
    name: str
    media_type: str


class UploadService:
    """What every way of uploading has in common."""

    def __init__(
        self,
        uow: UnitOfWork,
        uploads: UploadRepository,
        files: FileService,
        objects: Objects,
        rules: UploadRules,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._uploads = uploads
        self._files = files
        self._objects = objects
        self._rules = rules
        self._jobs = jobs
        self._clock = clock

    @property
    def largest(self) -> int:
        """Bytes of the largest file."""
        return self._rules.largest

    @property
    def patience(self) -> timedelta:
        """How long an upload may take that is not over in one request."""
        return self._rules.patience

    def now(self) -> datetime:
        """The moment, for those who look whether an upload has expired."""
        return self._clock.now()

    def begin(
        self,
        actor: Actor,
        project_id: UUID,
        kind: UploadKind,
        name: str,
        content_type: str | None,
        size: int | None,
        *,
        least: int | None = None,
        sha256: bytes | None = None,
        patience: timedelta | None = None,
        object_kind: str | None = None,
        afterwards: timedelta = timedelta(0),
    ) -> Upload:
        """Reserve room, and note what is to come.

        Args:
            size: bytes at most; ``None`` where nobody knows, then as much as there is room for.
            least: bytes that are certain to come, where that is not ``size``.
            patience: how long it may take.
            object_kind: what the key of its object begins with, where it has one object from the beginning.
            afterwards: how much longer than the upload its object may still be written.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``, ``file_too_large``,
                ``quota_exceeded``.
        """
        lasting = patience or self._rules.patience
        wait = lasting + afterwards
        with self._uow:
            project = self._files.hold_for_upload(actor, project_id)
            certain = (size if least is None else least) or 0
            if certain > self._rules.largest:
                raise self.too_large()
            reserved = room_for(size, certain, self._rules.largest, self._files.room_in(project))
            now = self._clock.now()
            make_place(self._uploads, actor.user_id, now)
            upload = self._uploads.add(
                Upload(
                    id=new_id(),
                    project_id=project_id,
                    user_id=actor.user_id,
                    kind=kind.value,
                    name=name,
                    content_type=_storable(content_type),
                    size=reserved,
                    sha256=sha256,
                    reserved=reserved,
                    received=0,
                    object_key=self._objects.promise(object_kind, wait) if object_kind else None,
                    created_at=now,
                    expires_at=now + lasting,
                )
            )
            self._uploads.flush()
            return upload

    def complete(
        self, actor: Actor, upload_id: UUID, arrived: Arrived, *, lease: UUID | None = None
    ) -> FileView:
        """Make a file of what arrived, inside the caller's transaction; the upload leads to it from now on.

        Args:
            lease: of the request that brought it, where more than one may.

        Raises:
            AppError: as ``begin``; ``not_found`` where the upload has ended meanwhile, ``write_conflict`` where another
                request has taken it over.
        """
        with self._uow:
            upload = self._uploads.find(upload_id)
            if upload is None:
                raise not_found("upload")
            self._files.hold_for_upload(actor, upload.project_id)
            upload = self._uploads.of(actor.user_id, upload.project_id, upload_id, lock=True)
            if upload is None:
                raise not_found("upload")
            if upload.file_id is not None or (lease is not None and upload.lease != lease):
                raise AppError(
                    Code.write_conflict, "Another request has completed this upload, or goes on with it."
                )
            if not self._objects.adopt(arrived.key):
                raise not_found("upload")
            file = self._file_of(upload, arrived)
            self._files.add(file)
            upload.file_id, upload.reserved, upload.received = file.id, 0, upload.size
            self._uploads.forget_segments(upload.id)
            self._uploads.flush()
            if file.state == FileState.processing:
                self._jobs.defer(PROCESS, file_id=str(file.id))
            return self._files.view(file, actor)

    def confirm(self, key: str) -> None:
        """What has been stored may still be taken over.

        Raises:
            AppError: ``not_found`` where it came too late: its upload has ended.
        """
        if not self._objects.confirm(key):
            raise not_found("upload")

    def give_up(self, upload_id: UUID, *keys: str, lease: UUID | None = None) -> None:
        """End an upload that comes to nothing: its room is free at once, its objects go with the next sweep.

        One that has become a file stays, and so does one that another request goes on with; only the keys go then.

        Args:
            keys: promised, and not wanted any more.
            lease: of the request that gives up, where more than one may go on.
        """
        with self._uow:
            upload = self._uploads.find(upload_id, lock=True)
            self._objects.drop(keys)
            if upload is None or upload.file_id is not None or (lease and upload.lease != lease):
                return
            self._objects.drop([upload.dropped_key] if upload.dropped_key else [])
            self._uploads.forget([upload_id])

    def abandon(self, upload_id: UUID, *keys: str, lease: UUID | None = None) -> None:
        """As ``give_up``, for what has failed already. Where the database is away too, the sweep does it later."""
        try:
            self.give_up(upload_id, *keys, lease=lease)
        except AppError as error:
            logger.warning("upload_left_to_sweep", upload_id=str(upload_id), code=error.code.value)

    def let_go(self, *keys: str) -> None:
        """Leave objects to the next sweep, after something has failed already; the upload itself goes on."""
        try:
            self._objects.drop(keys)
        except AppError as error:
            logger.warning("objects_left_to_sweep", keys=keys, code=error.code.value)

    def prolong(self, upload_id: UUID, key: str, patience: timedelta) -> None:
        """Tell that content still arrives.

        Raises:
            AppError: ``not_found`` where the upload has ended: its project, its account or its time is gone.
        """
        with self._uow:
            upload = self._uploads.find(upload_id, lock=True)
            if upload is None or not self._objects.prolong(key, patience):
                raise not_found("upload")
            upload.expires_at = self._clock.now() + patience

    def sweep(self) -> int:
        """Forget what took too long; the answer is how many uploads."""
        swept = 0
        while True:
            with self._uow:
                old = self._uploads.expired(self._clock.now(), SWEEP_BATCH)
                self._objects.drop([upload.dropped_key for upload in old if upload.dropped_key])
                self._uploads.forget([upload.id for upload in old])
            swept += len(old)
            if len(old) < SWEEP_BATCH:
                return swept

    def outgrown(self, upload: Upload) -> AppError:
        """The refusal of content that is larger than what is left of the room: more than was reserved."""
        return self._files.no_room_in(upload.project_id, upload.reserved)

    def too_large(self) -> AppError:
        """The refusal of a file that is larger than ``UPLOAD_MAX_BYTES``."""
        largest = self._rules.largest
        return AppError(
            Code.file_too_large, f"A file may have {largest:,} bytes at most.", extra={"max": largest}
        )

    def _file_of(self, upload: Upload, arrived: Arrived) -> File:
        now = self._clock.now()
        waits = needs_processing(arrived.media_type, scanned=self._rules.scanned)
        return File(
            id=new_id(),
            project_id=upload.project_id,
            name=arrived.name,
            content_type=arrived.media_type,
            size=arrived.stored.size,
            sha256=arrived.stored.sha256,
            object_key=arrived.key,
            state=(FileState.processing if waits else FileState.ready).value,
            uploaded_by=upload.user_id,
            version=1,
            created_at=now,
            updated_at=now,
        )


def _storable(content_type: str | None) -> str | None:
    """What a sender says, if it can be a media type at all."""
    said = content_type or ""
    return said if said.isprintable() and 0 < len(said) <= LONGEST_TYPE else None
