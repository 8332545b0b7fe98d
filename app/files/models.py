"""A file in a project, and smaller pictures of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class FileState(StrEnum):
    """``processing`` until the worker has looked at it; ``failed`` with a reason; ``quarantined`` where it is infected."""

    processing = "processing"
    ready = "ready"
    quarantined = "quarantined"
    failed = "failed"


class FailureCode(StrEnum):
    """Why a file is not as its owner would like it; the closed list of ``failure_code``."""

    infected = "infected"
    scan_failed = "scan_failed"
    too_large_to_scan = "too_large_to_scan"
    picture_damaged = "picture_damaged"
    picture_too_large = "picture_too_large"
    picture_unreadable = "picture_unreadable"
    processing_failed = "processing_failed"


class File(Base):
    """A row exists only with a complete object. With ``deleted_at`` it is in the trash, from where somebody removes it, or the
    job ``files.purge_trash`` does after ``TRASH_DAYS`` along ``ix_files_deleted_at``; triggers of migration 0013 hand the
    object to the sweep, and count what the project holds.

    ``attempts`` counts how often the worker began with it; ``previews`` says whether there are smaller pictures.
    """

    __tablename__ = "files"
    __table_args__ = (
        CheckConstraint("state IN ('processing', 'ready', 'quarantined', 'failed')", name="state"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 255", name="name_length"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        Index("uq_files_object_key", "object_key", unique=True),
        Index("ix_files_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_files_project_id_updated_at_id", "project_id", "updated_at", "id"),
        Index("ix_files_project_id_name_id", "project_id", text("lower(name)"), "id"),
        Index("ix_files_project_id_size_id", "project_id", "size", "id"),
        Index("ix_files_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_files_processing", "created_at", postgresql_where=text("state = 'processing'")),
        Index("ix_files_uploaded_by_id", "uploaded_by", "id", postgresql_where=text("uploaded_by IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    object_key: Mapped[str] = mapped_column(String(200, collation="C"))
    state: Mapped[str] = mapped_column(String(12))
    failure_code: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    previews: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __mapper_args__ = {"version_id_col": version}

    def rename(self, name: str, now: datetime) -> dict[str, Any]:
        """Take another name; the answer tells before and after, nothing where it has that name already."""
        if name == self.name:
            return {}
        told = {"name": {"before": self.name, "after": name}}
        self.name, self.updated_at = name, now
        return told

    def trash(self, now: datetime) -> bool:
        """Put it into the trash; whether that changed anything."""
        if self.deleted_at is not None:
            return False
        self.deleted_at = self.updated_at = now
        return True

    def restore(self, now: datetime) -> bool:
        """Take it out of the trash; whether that changed anything."""
        if self.deleted_at is None:
            return False
        self.deleted_at, self.updated_at = None, now
        return True


class FilePreview(Base):
    """A smaller picture of a file, as WebP. It goes with its file. Attributes: edge: the longest side asked for."""

    __tablename__ = "file_previews"
    __table_args__ = (Index("uq_file_previews_object_key", "object_key", unique=True),)

    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), primary_key=True)
    edge: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    width: Mapped[int] = mapped_column(SmallInteger)
    height: Mapped[int] = mapped_column(SmallInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    object_key: Mapped[str] = mapped_column(String(200, collation="C"))
