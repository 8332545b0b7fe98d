"""SQL of uploads and their segments."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from app.core.repository import Repository
from app.uploads.models import Upload, UploadSegment


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

    def under_way(self, user_id: UUID) -> int:
        """How many an account has begun and not completed."""
        begun = select(func.count()).where(Upload.user_id == user_id, Upload.file_id.is_(None))
        return self.session.scalar(begun) or 0

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
