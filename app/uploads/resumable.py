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
from app.core.storage.interface import ObjectStore, StoredObject
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
    """Each method is one request of the protocol."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: UploadRepository,
        uploads: UploadService,
        files: FileService,
        objects: Objects,
        examination: Examination,
        store: ObjectStore,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._uploads = uploads
        self._files = files
        self._objects = objects
        self._examination = examination
        self._store = store

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
            left = upload.size - upload.received
            key = self._objects.promise("segments")
            stored = self._store.put(key, cut.segment(min(left, SEGMENT)))
            if upload.received + stored.size == upload.size:
                self._finish(actor, upload, lease, key, stored)
                return self.progress(actor, project_id, upload_id)
            upload = self._keep(actor, upload, lease, key, stored.size)
        if cut.error is not None:
            raise cut.error
        return Progress.of(upload)

    def end(self, actor: Actor, project_id: UUID, upload_id: UUID) -> None:
        """Forget it (termination); a file that it has become stays."""
        with self._uow:
            self._files.hold_for_upload(actor, project_id)
            self._require(actor, project_id, upload_id)
            self._uploads.give_up(upload_id)

    def _take_over(self, actor: Actor, project_id: UUID, upload_id: UUID, offset: int, lease: UUID) -> Upload:
        with self._uow:
            self._files.hold_for_upload(actor, project_id)
            upload = self._require(actor, project_id, upload_id, lock=True)
            if offset != upload.received:
                detail = (
                    f"The upload is at offset {upload.received}. Ask for it with HEAD, then go on from there."
                )
                raise AppError(Code.write_conflict, detail)
            upload.lease = lease
            return upload

    def _keep(self, actor: Actor, upload: Upload, lease: UUID, key: str, size: int) -> Upload:
        with self._uow:
            current = self._rows.of(actor.user_id, upload.project_id, upload.id, lock=True)
            if current is None:
                raise not_found("upload")
            if current.lease != lease:
                raise AppError(Code.write_conflict, "A newer request goes on with this upload.")
            if size and self._objects.adopt(key):
                self._rows.add_segment(
                    UploadSegment(upload_id=upload.id, start=current.received, size=size, object_key=key)
                )
                current.received += size
            return current

    def _finish(self, actor: Actor, upload: Upload, lease: UUID, last: str, stored: StoredObject) -> None:
        """The last segment is there: put them together, look into the whole, make it a file."""
        with self._uow.reading():
            keys = [segment.object_key for segment in self._rows.segments(upload.id)]
        key = last
        if keys:
            key = self._objects.promise("files")
            stored = self._store.put(key, chain.from_iterable(map(self._store.read, [*keys, last])))
            self._objects.drop([last])
        try:
            media_type = self._examination.examine(key, stored.size, upload.name, upload.content_type)
        except AppError:
            self._uploads.abandon(upload.id, key)
            raise
        arrived = Arrived(key, stored, upload.name, media_type)
        with self._uow:
            self._uploads.complete(actor, upload.id, arrived, lease=lease)

    def _require(self, actor: Actor, project_id: UUID, upload_id: UUID, *, lock: bool = False) -> Upload:
        upload = self._rows.of(actor.user_id, project_id, upload_id, lock=lock)
        if upload is None or upload.kind != UploadKind.resumable or upload.expires_at <= self._uploads.now():
            raise not_found("upload")
        return upload
