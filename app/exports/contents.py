"""A copy on its way out: an object of the storage; one of before there was storage is in parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from app.core.access import Actor, Client
from app.core.audit import AuditKind, AuditTrail
from app.core.errors import AppError, Code
from app.core.storage.interface import ObjectMissingError, ObjectStore
from app.core.uow import UnitOfWork
from app.exports.models import Export, ExportState
from app.exports.repository import ExportRepository
from app.exports.service import ExportService
from app.files.contents import Content
from app.users.notices import SecurityNotices

KIND = "application/zip"
PART = 256 * 1024
"""Bytes of each part but the last."""


@dataclass(frozen=True)
class ContentInParts:
    """A copy that an earlier version made; attributes as of ``app.files.contents.Content``."""

    uow: UnitOfWork
    rows: ExportRepository
    export: Export
    tag: str
    name: str
    plain: str
    media_type: str = KIND
    in_place: bool = False
    served_path: str | None = None

    @property
    def size(self) -> int:
        return self.export.size or 0

    def look(self) -> None:
        """Its parts are rows that go with its own: they are there."""

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """A part of it; each row is read when the one before is gone."""
        end = start + length
        for number in range(start // PART, -(-end // PART)):
            with self.uow.reading():
                piece = self.rows.part(self.export.id, self.export.attempts, number)
            if piece is None:
                # Deleted meanwhile. Only an error ends the connection; else the client waits for the rest.
                raise ObjectMissingError(f"part {number} of export {self.export.id}")
            yield piece[max(0, start - number * PART) : end - number * PART]

    def open_plain(self) -> BinaryIO | None:
        return None

    def sign(self, _disposition: str) -> str | None:
        return None


class ExportContents:
    """Finds what may be handed out. The row says who may, the storage has the bytes."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: ExportRepository,
        exports: ExportService,
        notices: SecurityNotices,
        audit: AuditTrail,
        store: ObjectStore,
        product_name: str,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._exports = exports
        self._notices = notices
        self._audit = audit
        self._store = store
        self._product_name = product_name

    def whole(self, actor: Actor, export_id: UUID) -> Content | ContentInParts:
        """A copy that is ready; its SHA-256 is its ETag.

        Raises:
            AppError: ``not_found``, ``write_conflict`` while it is not ready.
        """
        export = self._exports.get(actor, export_id)
        if export.state != ExportState.ready or export.sha256 is None:
            raise AppError(Code.write_conflict, f"This export is not ready: it is {export.state}.")
        made = f"{export.created_at:%Y-%m-%d}.zip"
        tag, name, plain = export.sha256.hex(), f"{self._product_name} {made}", f"export-{made}"
        if export.object_key is None:
            return ContentInParts(self._uow, self._rows, export, tag, name, plain)
        return Content(
            self._store, export.object_key, export.size or 0, tag, name, plain, KIND, in_place=False
        )

    def note(self, actor: Actor, client: Client, export_id: UUID, begins: bool) -> None:
        """Content goes out: the trail says so, once for each download, and of a session's first part wherever it lies.

        Args:
            begins: whether it goes out from its beginning; else it may be the rest of what the trail knows of.
        """
        kind = AuditKind.export_downloaded
        what = {"export_id": str(export_id), "session_id": str(actor.session_id)}
        if not begins:
            with self._uow.reading():
                if self._audit.tells(kind, actor.user_id, what):
                    return
        with self._uow:
            self._notices.record(kind, user=actor.user_id, actor=actor.user_id, client=client, data=what)
