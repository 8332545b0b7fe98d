"""An upload in as many requests as it takes: tus 1.0 (https://tus.io/protocols/resumable-upload), without its HTTP.

What arrives is kept in segments, each an object of its own: whatever is cut off, at most the segment under way is lost. The
last segment is committed together with the file, so an upload that looks complete is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from app.core.access import Actor
from app.core.errors import AppError, Code, not_found
from app.core.ids import new_id
from app.core.media.names import clean_name
from app.core.objects import Objects
from app.core.storage.interface import ObjectMissingError, ObjectStore, StoredObject
from app.core.uow import UnitOfWork
from app.files.service import FileService
from app.uploads.examination import Examination
from app.uploads.models import Upload, UploadKind, UploadSegment
from app.uploads.repository import UploadRepository
from app.uploads.service import Arrived, UploadService

SEGMENT = 32 * 2**20


@dataclass(frozen=True)
class Progress:
    """How far an upload is. Attributes: file_id: of the file it has become."""

    id: UUID
    project_id: UUID
    offset: int
    size: int
    expires_at: datetime
    file_id: UUID | None

    @classmethod
    def of(cls, upload: Upload) -> "Progress":
        return cls(
            upload.id, upload.project_id, upload.received, upload.size, upload.expires_at, upload.file_id
        )


class Cut:
    """Pieces of a request, dealt out in segments; a connection that breaks off ends them early.

    Attributes:
        error: what broke off, if anything did.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.error: Exception | None = None
        self._first = self._next()

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self._first is None

    def segment(self, most: int) -> Iterator[bytes]:
        """At most so many bytes."""
        while self._first is not None and most > 0:
            piece, rest = self._first[:most], self._first[most:]
            most -= len(piece)
            yield piece
            self._first = rest or self._next()

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:  # noqa: BLE001 - told after what arrived is kept
            self.error = error
            return None


class Resumable:
    """Each method is one request of the protocol.

    Args:
        segment: bytes of the largest segment.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        rows: UploadRepository,
        uploads: UploadService,
        files: FileService,
        objects: Objects,
        examination: Examination,
        store: ObjectStore,
        *,
        segment: int = SEGMENT,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._uploads = uploads
        self._files = files
        self._objects = objects
        self._examination = examination
        self._store = store
        self._segment = segment

    def create(self, actor: Actor, project_id: UUID, size: int, name: str, declared: str | None) -> Progress:
        """Begin one.

        Raises:
            AppError: as ``UploadService.begin``; ``file_type_not_allowed`` where the name tells already.
        """
        name = clean_name(name)
        self._examination.refuse_by_name(name)
        upload = self._uploads.begin(actor, project_id, UploadKind.resumable, name, declared, size)
        return Progress.of(upload)

    def progress(self, actor: Actor, project_id: UUID, upload_id: UUID) -> Progress:
        """How far it is.

        Raises:
            AppError: ``not_found``, also once it has expired.
        """
        with self._uow.reading():
            self._files.find_project(actor, project_id)
            return Progress.of(self._require(actor, project_id, upload_id))

    def append(
        self, actor: Actor, project_id: UUID, upload_id: UUID, offset: int, pieces: Iterator[bytes]
    ) -> Progress:
        """Add what arrives. Of two requests at once the newer one goes on: a phone that comes back need not wait.

        Raises:
            AppError: ``not_found``, ``write_conflict`` for another offset or when a newer request took over,
                ``file_too_large`` where more comes than was announced, and at the end as ``Receiving.receive``.
        """
        lease = new_id()
        upload = self._take_over(actor, project_id, upload_id, offset, lease)
        cut = Cut(pieces)
        while not cut.over and upload.received < upload.size:
            upload = self._add(actor, upload, lease, cut)
        if not cut.over:
            raise self._too_much(upload)
        if cut.error is not None and upload.file_id is None:
            raise cut.error
        return Progress.of(upload)

    def end(self, actor: Actor, project_id: UUID, upload_id: UUID) -> None:
        """Forget it (termination); a file that it has become stays."""
        with self._uow:
            self._files.hold_for_upload(actor, project_id)
            self._require(actor, project_id, upload_id, lock=True)
            self._rows.forget([upload_id])

    def _take_over(self, actor: Actor, project_id: UUID, upload_id: UUID, offset: int, lease: UUID) -> Upload:
        with self._uow:
            self._files.hold_for_upload(actor, project_id)
            upload = self._require(actor, project_id, upload_id, lock=True)
            if offset != upload.received:
                detail = (
                    f"The upload is at offset {upload.received}. Ask for it with HEAD, then go on from there."
                )
                raise AppError(Code.write_conflict, detail)
            upload.lease, upload.moved_at = lease, self._uploads.now()
            return upload

    def _add(self, actor: Actor, upload: Upload, lease: UUID, cut: Cut) -> Upload:
        """One more segment; with the last one it becomes a file."""
        key = self._objects.promise("segments")
        try:
            stored = self._store.put(key, cut.segment(min(upload.size - upload.received, self._segment)))
            self._uploads.confirm(key)
            if upload.received + stored.size < upload.size:
                return self._keep(actor, upload, lease, key, stored.size)
            if not cut.over:
                raise self._too_much(upload)
            return self._finish(actor, upload, lease, key, stored)
        except AppError:
            self._uploads.let_go(key)
            raise

    def _too_much(self, upload: Upload) -> AppError:
        detail = (
            f"More has come than the {upload.size:,} bytes that were announced. What is too much is not kept."
        )
        return AppError(Code.file_too_large, detail, extra={"max": upload.size})

    def _keep(self, actor: Actor, upload: Upload, lease: UUID, key: str, size: int) -> Upload:
        with self._uow:
            current = self._rows.of(actor.user_id, upload.project_id, upload.id, lock=True)
            if current is None:
                raise not_found("upload")
            if current.lease != lease:
                raise AppError(Code.write_conflict, "A newer request goes on with this upload.")
            if not self._objects.adopt(key):
                raise not_found("upload")
            self._rows.add_segment(
                UploadSegment(upload_id=upload.id, start=current.received, size=size, object_key=key)
            )
            current.received, current.moved_at = current.received + size, self._uploads.now()
            return current

    def _finish(self, actor: Actor, upload: Upload, lease: UUID, last: str, stored: StoredObject) -> Upload:
        """The last segment is there: put them together, look into the whole, make it a file."""
        key, stored = self._put_together(upload, last, stored)
        try:
            media_type = self._examination.examine(key, stored.size, upload.name, upload.content_type)
            with self._uow:
                arrived = Arrived(key, stored, upload.name, media_type)
                self._uploads.complete(actor, upload.id, arrived, lease=lease)
                return self._require(actor, upload.project_id, upload.id)
        except AppError as error:
            self._uploads.let_go(key)
            if error.code == Code.file_type_not_allowed:
                self._uploads.abandon(upload.id, lease=lease)
            raise

    def _put_together(self, upload: Upload, last: str, stored: StoredObject) -> tuple[str, StoredObject]:
        """The whole content as one object.

        Raises:
            AppError: ``not_found`` where the upload has ended meanwhile, and its segments with it.
        """
        with self._uow.reading():
            keys = [segment.object_key for segment in self._rows.segments(upload.id)]
        if not keys:
            return last, stored
        key = self._objects.promise("files")
        try:
            stored = self._store.put(key, chain.from_iterable(map(self._store.read, [*keys, last])))
        except ObjectMissingError:
            self._uploads.let_go(key)
            raise not_found("upload") from None
        self._uploads.confirm(key)
        self._uploads.let_go(last)
        return key, stored

    def _require(self, actor: Actor, project_id: UUID, upload_id: UUID, *, lock: bool = False) -> Upload:
        upload = self._rows.of(actor.user_id, project_id, upload_id, lock=lock)
        if upload is None or upload.kind != UploadKind.resumable or upload.expires_at <= self._uploads.now():
            raise not_found("upload")
        return upload
