"""An upload that goes to the storage itself: we sign the request, the client makes it, we look at what has arrived."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.access import Actor
from app.core.errors import AppError, Code, not_found
from app.core.media.names import clean_name
from app.core.objects import Objects
from app.core.storage.interface import ObjectFacts, ObjectStore, StoredObject
from app.core.uow import UnitOfWork
from app.files.service import FileService
from app.files.views import FileView
from app.uploads.examination import Examination
from app.uploads.models import Upload, UploadKind
from app.uploads.repository import UploadRepository
from app.uploads.service import Arrived, UploadService

TIME_TO_SEND = timedelta(hours=1)


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
                patience=TIME_TO_SEND, object_kind="incoming",
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
        return self._accept(actor, upload, facts)

    def _accept(self, actor: Actor, upload: Upload, facts: ObjectFacts) -> FileView:
        # A copy, under a key that nobody can write to: the signed request is good for a while yet.
        key = self._objects.promise("files")
        try:
            self._refuse_other_size(upload, facts.size)
            self._store.copy(facts.key, key)
            stored = self._copied(key)
            self._refuse_other_content(upload, stored)
            media_type = self._examination.examine(key, stored.size, upload.name, upload.content_type)
        except AppError as error:
            if error.code != Code.storage_unavailable:
                self._uploads.abandon(upload.id, key)
            raise
        with self._uow:
            view = self._uploads.complete(actor, upload.id, Arrived(key, stored, upload.name, media_type))
            self._objects.drop([facts.key])
            return view

    def _copied(self, key: str) -> StoredObject:
        facts = self._store.facts(key)
        if facts is None:
            raise AppError(Code.upload_incomplete, "The content has gone again. Send it once more.")
        if facts.sha256 is not None:
            return StoredObject(facts.size, facts.sha256)
        digest = hashlib.sha256()
        for piece in self._store.read(key):
            digest.update(piece)
        return StoredObject(facts.size, digest.digest())

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
