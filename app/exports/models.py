"""A copy of somebody's data, made by a job and kept for a while."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ExportState(StrEnum):
    queued = "queued"
    running = "running"
    ready = "ready"
    failed = "failed"


class Export(Base):
    """One copy. ``attempts`` is also the number of the run: what another run made is not its content.
    ``started_at`` moves on as long as the run gives signs of life.

    An account has at most one that is in the making. Kept ``EXPORT_DAYS`` after it was asked for or became ready; the
    job ``exports.sweep`` deletes along ``ix_exports_expires_at``, and takes up what a worker left half done.
    A trigger of migration 0014 hands the object to the sweep.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name="state"),
        Index("ix_exports_user_id_created_at", "user_id", "created_at"),
        Index("ix_exports_expires_at", "expires_at"),
        Index("uq_exports_object_key", "object_key", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int]
    size: Mapped[int | None] = mapped_column(BigInteger)
    parts: Mapped[int | None]
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    object_key: Mapped[str | None] = mapped_column(String(200, collation="C"))
    device: Mapped[str | None] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ExportPart(Base):
    """A piece of an archive that an earlier version made. Nothing is added any more; what is here can be downloaded until its
    export goes (``exports.sweep``), and a later version drops the table.
    """

    __tablename__ = "export_parts"

    export_id: Mapped[UUID] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
