"""Work that people wait for: how far a job is that they asked for."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WorkState(StrEnum):
    queued = "queued"
    running = "running"
    ready = "ready"
    failed = "failed"


class WorkItem(Base):
    """One piece of work, under an id that whoever begins it chooses. The feature that does it keeps the truth.

    ``problem`` is a code of the closed list and a sentence. Kept for seven days after it was begun, whatever became of
    it; the job ``work.sweep`` deletes along ``ix_work_items_created_at``.
    """

    __tablename__ = "work_items"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name="state"),
        CheckConstraint("done >= 0 AND total >= 0", name="counts"),
        Index("ix_work_items_user_id_created_at", "user_id", "created_at"),
        Index("ix_work_items_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10))
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    result_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
