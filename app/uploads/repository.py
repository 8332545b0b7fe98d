"""SQL of uploads and their segments."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.uploads.models import Upload, UploadKind, UploadSegment

Item = TypeVar("Item")


class UploadRepository(Repository[Upload]):
    model = Upload
    noun = "upload"

    def of(self, user_id: UUID, project_id: UUID, upload_id: UUID, *, lock: bool = False) -> Upload | None:
        """An upload, if that account began it in that project (SEC-40)."""
        statement = select(Upload).where(
            Upload.id == upload_id, Upload.project_id == project_id, Upload.user_id == user_id
        )
        if lock:
            statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
        return self.session.execute(statement).scalar_one_or_none()

    def own(self, user_id: UUID, upload_id: UUID, kinds: Collection[str]) -> Upload | None:
        """An upload of such a kind, locked, if that account began it, in whichever project (SEC-40)."""
        statement = select(Upload).where(
            Upload.id == upload_id, Upload.user_id == user_id, Upload.kind.in_(kinds)
        )
        return self.session.execute(statement.with_for_update(key_share=True)).scalar_one_or_none()

    def under_way(self, user_id: UUID, now: datetime) -> int:
        """How many an account has begun and not completed."""
        return self.session.scalar(select(func.count()).where(*_under_way(user_id, now))) or 0

    def page_under_way(
        self,
        user_id: UUID,
        kinds: Collection[str],
        now: datetime,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[Upload], Item],
    ) -> Page[Item]:
        """One page of those of such kinds, the newest first."""
        return page_of(
            self.session, select(Upload).where(*_under_way(user_id, now), Upload.kind.in_(kinds)),
            sort=Sort(Upload.created_at, True, datetime.fromisoformat), key=Upload.id, cursors=cursors,
            scope=query_scope("uploads", user_id), request=request, make=lambda row: make(row[0]),
        )  # fmt: skip

    def standing_still(self, user_id: UUID, since: datetime, now: datetime, most: int) -> list[Upload]:
        """Resumable ones of which nothing has arrived for so long, the longest first; locked, but for those that just move."""
        moved = func.coalesce(Upload.moved_at, Upload.created_at)
        still = select(Upload).where(
            *_under_way(user_id, now), Upload.kind == UploadKind.resumable.value, moved <= since
        )
        still = still.order_by(moved, Upload.id).limit(most)
        return list(self.session.execute(still.with_for_update(skip_locked=True, key_share=True)).scalars())

    def add_segment(self, segment: UploadSegment) -> None:
        self.session.add(segment)

    def segments(self, upload_id: UUID) -> list[UploadSegment]:
        """In the order of the content."""
        all_of_it = select(UploadSegment).where(UploadSegment.upload_id == upload_id)
        return list(self.session.execute(all_of_it.order_by(UploadSegment.start)).scalars())

    def forget_segments(self, upload_id: UUID) -> None:
        """Their objects go to the sweep, by a trigger."""
        self.session.execute(delete(UploadSegment).where(UploadSegment.upload_id == upload_id))

    def expired(self, now: datetime, most: int) -> list[Upload]:
        """What took too long, or led to its file for long enough; locked, what another worker holds is left to it."""
        old = (
            select(Upload).where(Upload.expires_at <= now).order_by(Upload.project_id, Upload.id).limit(most)
        )
        return list(self.session.execute(old.with_for_update(skip_locked=True)).scalars())

    def forget(self, ids: Collection[UUID]) -> None:
        self.session.execute(delete(Upload).where(Upload.id.in_(ids)))


def _under_way(user_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Upload.user_id == user_id, Upload.file_id.is_(None), Upload.expires_at > now
