"""An upload that goes to the storage itself: we sign the request, the client makes it, we look at what has arrived."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.access import Actor
from app.core.errors import AppError, Code, not_found
from app.core.media.names import clean_name
from app.core.objects import Objects
from app.core.storage.interface import ObjectFacts, ObjectMissingError, ObjectStore, StoredObject
from app.core.storage.pieces import digest
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.files.service import FileService
from app.files.views import FileView
from app.uploads.examination import Examination
from app.uploads.models import Upload, UploadKind
from app.uploads.repository import UploadRepository
from app.uploads.service import Arrived, UploadService

logger = log(__name__)
TIME_TO_SEND = timedelta(hours=1)
STILL_SENDING = timedelta(hours=1)
"""How long a request that was begun in time may still send: what it stores then is found and removed all the same."""


FOR_GOOD = {Code.checksum_mismatch, Code.file_type_not_allowed}
"""Refusals that a second try would meet again."""


@dataclass(frozen=True)
class StartedUpload:
    """What a client needs to send the content: exactly this request, with these headers."""

    upload_id: UUID
    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class DirectUploads:
    """Only where the storage has an address of its own."""

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

    def start(
        self, actor: Actor, project_id: UUID, name: str, size: int, content_type: str, sha256: bytes
    ) -> StartedUpload:
        """Reserve room, and sign the request that stores exactly this content.

        Raises:
            AppError: as ``UploadService.begin``; ``write_conflict`` where files come through us only.
        """
        name = clean_name(name)
        self._examination.refuse_by_name(name)
        with self._uow:
            upload = self._uploads.begin(
                actor, project_id, UploadKind.direct, name, content_type, size, sha256=sha256,
                patience=TIME_TO_SEND, object_kind="incoming", afterwards=STILL_SENDING,
            )  # fmt: skip
            signed = self._store.sign_write(
                upload.object_key or "", seconds=int(TIME_TO_SEND.total_seconds()), size=size, sha256=sha256,
                content_type=content_type,
            )  # fmt: skip
            if signed is None:
                raise AppError(
                    Code.write_conflict,
                    "This server takes files itself: send the file to it, or upload by tus.",
                )
            return StartedUpload(
                upload.id, signed.method, signed.url, dict(signed.headers), upload.expires_at
            )

    def complete(self, actor: Actor, project_id: UUID, upload_id: UUID) -> FileView:
        """Look at what has arrived, and make it a file. Done twice is done once.

        Raises:
            AppError: ``not_found``, ``upload_incomplete``, ``checksum_mismatch``, ``file_type_not_allowed``.
        """
        with self._uow.reading():
            self._files.find_project(actor, project_id)
            upload = self._rows.of(actor.user_id, project_id, upload_id)
        if upload is None or upload.kind != UploadKind.direct:
            raise not_found("upload")
        if upload.file_id is not None:
            return self._files.get(actor, project_id, upload.file_id)
        if upload.expires_at <= self._uploads.now():
            raise not_found("upload")
        facts = self._store.facts(upload.object_key or "")
        if facts is None:
            raise AppError(
                Code.upload_incomplete, "The content has not arrived. Send it as startUpload said."
            )
        try:
            return self._accept(actor, upload, facts)
        except AppError:
            # Of two requests at once only one makes the file, and that is the answer to both.
            with self._uow.reading():
                upload = self._rows.of(actor.user_id, project_id, upload_id)
            if upload is None or upload.file_id is None:
                raise
            return self._files.get(actor, project_id, upload.file_id)

    def _accept(self, actor: Actor, upload: Upload, facts: ObjectFacts) -> FileView:
        # A copy, under a key that nobody can write to: the signed request is good for a while yet.
        key = self._objects.promise("files")
        try:
            self._refuse_other_size(upload, facts.size)
            stored = self._copied(facts.key, key)
            self._refuse_other_content(upload, stored)
            media_type = self._examination.examine(key, stored.size, upload.name, upload.content_type)
            with self._uow:
                arrived = Arrived(key, stored, upload.name, media_type)
                view = self._uploads.complete(actor, upload.id, arrived)
                self._uow.after_commit(self._store.delete, facts.key)
                return view
        except AppError as error:
            self._uploads.let_go(key)
            if error.code in FOR_GOOD:
                self._uploads.abandon(upload.id)
                self._remove_sent(facts.key)
            raise

    def _copied(self, source: str, key: str) -> StoredObject:
        """What is in the copy, as we read it: what the storage says of it, the client may have told the storage."""
        try:
            self._store.copy(source, key)
        except ObjectMissingError:
            raise AppError(Code.upload_incomplete, "The content has gone again. Send it once more.") from None
        self._uploads.confirm(key)
        return digest(self._store.read(key))

    def _remove_sent(self, key: str) -> None:
        """At once, since it is of no use; the sweep comes for it when nothing can be sent any more."""
        try:
            self._store.delete(key)
        except AppError as error:
            logger.warning("object_left_to_sweep", key=key, code=error.code.value)

    def _refuse_other_size(self, upload: Upload, size: int) -> None:
        if size != upload.size:
            raise AppError(
                Code.checksum_mismatch,
                f"{size:,} bytes have arrived, {upload.size:,} were announced. Begin anew.",
            )

    def _refuse_other_content(self, upload: Upload, stored: StoredObject) -> None:
        self._refuse_other_size(upload, stored.size)
        if stored.sha256 != upload.sha256:
            raise AppError(Code.checksum_mismatch, "What has arrived has another SHA-256. Begin anew.")
