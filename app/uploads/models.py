"""A file on its way in: what was announced, how much room it holds, how far it has come."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class UploadKind(StrEnum):
    multipart = "multipart"
    resumable = "resumable"
    direct = "direct"


class Upload(Base):
    """Nobody sees it but whoever makes it, and it counts only against the room of its project, by ``reserved``.

    ``object_key`` is where its content goes, if it has one object from the beginning. ``lease`` names the request that may add to it: a newer one takes it over.
    ``moved_at`` is when something of a resumable one last arrived; nothing yet where it is empty.
    Once complete it leads to its file until ``expires_at``; the job ``uploads.sweep`` deletes along ``ix_uploads_expires_at``.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("kind IN ('multipart', 'resumable', 'direct')", name="kind"),
        CheckConstraint("received BETWEEN 0 AND size", name="received"),
        CheckConstraint("reserved >= 0", name="reserved"),
        Index("ix_uploads_expires_at", "expires_at"),
        Index("ix_uploads_project_id", "project_id"),
        Index("ix_uploads_user_id", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str | None] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    reserved: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str | None] = mapped_column(String(200))
    lease: Mapped[UUID | None]
    file_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    moved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def dropped_key(self) -> str | None:
        """Of the object that nobody needs when the upload ends; what a client may write to waits until it cannot any more."""
        return None if self.kind == UploadKind.direct else self.object_key


class UploadSegment(Base):
    """A piece of a resumable upload, complete in the storage. It goes with its upload."""

    __tablename__ = "upload_segments"
    __table_args__ = (Index("uq_upload_segments_object_key", "object_key", unique=True),)

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str] = mapped_column(String(200, collation="C"))
