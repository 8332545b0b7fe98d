"""Somebody's own uploads that are not files yet, in whichever project: found again, and ended."""

from uuid import UUID

from app.core.access import Actor
from app.core.errors import not_found
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.uploads.repository import UploadRepository
from app.uploads.service import UploadService
from app.uploads.views import LASTING, UploadUnderWay


class UploadsUnderWay:
    """What counts is who began them: who has left a project since can still end what waits there (SEC-40)."""

    def __init__(
        self, uow: UnitOfWork, rows: UploadRepository, uploads: UploadService, cursors: Cursors
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._uploads = uploads
        self._cursors = cursors

    def list_own(self, actor: Actor, request: PageRequest) -> Page[UploadUnderWay]:
        """One page of them, the newest first.

        Raises:
            AppError: ``invalid_cursor``.
        """
        with self._uow.reading():
            return self._rows.page_under_way(
                actor.user_id, LASTING, self._uploads.now(), self._cursors, request, UploadUnderWay.of
            )

    def end(self, actor: Actor, upload_id: UUID) -> None:
        """Forget one, and what has arrived of it; its room is free at once.

        Raises:
            AppError: ``not_found``, also for one that has become a file.
        """
        with self._uow:
            upload = self._rows.own(actor.user_id, upload_id, LASTING)
            if upload is None or upload.file_id is not None or upload.expires_at <= self._uploads.now():
                raise not_found("upload")
            self._uploads.give_up(upload_id)
