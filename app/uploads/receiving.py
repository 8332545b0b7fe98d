"""An upload that comes in one request."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from app.core.access import Actor
from app.core.media.names import clean_name
from app.core.storage.interface import ObjectStore
from app.core.uow import UnitOfWork
from app.files.views import FileView
from app.uploads.examination import Examination
from app.uploads.models import Upload, UploadKind
from app.uploads.service import Arrived, UploadService

SIGN_OF_LIFE = timedelta(minutes=5)
"""How long a request may be silent in the database before it counts as dead, and its room as free."""
SECONDS_BETWEEN_SIGNS = 60


class Incoming(Protocol):
    """The file that a request brings. Attributes: least, most: bytes that it has, where that is known."""

    @property
    def filename(self) -> str: ...
    @property
    def declared(self) -> str | None: ...
    @property
    def least(self) -> int | None: ...
    @property
    def most(self) -> int | None: ...
    def pieces(self) -> Iterator[bytes]: ...


@dataclass
class ReceivedFile:
    """Content that has arrived, until a file is made of it."""

    upload: Upload
    arrived: Arrived
    service: UploadService
    kept: bool = field(default=False)

    @property
    def fingerprint(self) -> bytes:
        """Of what was sent: content, name, type."""
        named = f"{self.arrived.name}\n{self.arrived.media_type}".encode()
        return hashlib.sha256(self.arrived.stored.sha256 + named).digest()

    def keep(self) -> None:
        """A file was made of it, and that is committed."""
        self.kept = True

    def settle(self) -> None:
        """Give it up unless it was kept."""
        if not self.kept:
            self.service.abandon(self.upload.id, self.arrived.key)


class Receiving:
    """Takes a file in, then makes it a file of its project."""

    def __init__(
        self, uow: UnitOfWork, uploads: UploadService, examination: Examination, store: ObjectStore
    ) -> None:
        self._uow = uow
        self._uploads = uploads
        self._examination = examination
        self._store = store

    def receive(self, actor: Actor, project_id: UUID, incoming: Incoming) -> ReceivedFile:
        """Store what arrives, and look into it.

        Raises:
            AppError: ``file_too_large``, ``quota_exceeded``, ``file_type_not_allowed``, ``validation_failed``,
                ``storage_unavailable``, and what ``UploadService.begin`` raises.
        """
        name = clean_name(incoming.filename)
        self._examination.refuse_by_name(name)
        upload = self._uploads.begin(
            actor, project_id, UploadKind.multipart, name, incoming.declared, incoming.most,
            least=incoming.least, patience=SIGN_OF_LIFE, object_kind="files",
        )  # fmt: skip
        key = upload.object_key or ""
        try:
            stored = self._store.put(key, self._bounded(incoming, upload, key))
            self._uploads.confirm(key)
            media_type = self._examination.examine(key, stored.size, name, incoming.declared)
        except BaseException:
            self._uploads.abandon(upload.id, key)
            raise
        return ReceivedFile(upload, Arrived(key, stored, name, media_type), self._uploads)

    def accept(self, actor: Actor, received: ReceivedFile) -> FileView:
        """Make it a file.

        Raises:
            AppError: as ``UploadService.complete``.
        """
        with self._uow:
            view = self._uploads.complete(actor, received.upload.id, received.arrived)
            self._uow.after_commit(received.keep)
            return view

    def _bounded(self, incoming: Incoming, upload: Upload, key: str) -> Iterator[bytes]:
        """The pieces, as long as they are no more than there may be; now and then a sign of life."""
        size, told_at = 0, time.monotonic()
        for piece in incoming.pieces():
            size += len(piece)
            if size > self._uploads.largest:
                raise self._uploads.too_large()
            if size > upload.reserved:
                raise self._uploads.outgrown(upload)
            yield piece
            if time.monotonic() - told_at > SECONDS_BETWEEN_SIGNS:
                told_at = time.monotonic()
                self._uploads.prolong(upload.id, key, SIGN_OF_LIFE)
