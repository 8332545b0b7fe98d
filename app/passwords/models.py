"""A wish to set a password anew, proved by mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class PasswordReset(Base):
    """One mail with a link and a code; neither is stored, both are computed from the row's id and a key (SEC-34).

    An address without an account gets a row too, told by ``user_id`` being null: nothing was sent for it and nothing
    answers it, but asking costs the same (SEC-12). ``used_at`` is set by the one reset that it allows, ``voided_at`` by
    whatever makes it worthless: a newer request, a changed password, a changed address.
    Kept until ``expires_at`` (``RESET_MINUTES``); the job ``passwords.sweep`` deletes along
    ``ix_password_resets_expires_at``.
    """

    __tablename__ = "password_resets"
    __table_args__ = (
        Index("ix_password_resets_user_id_created_at", "user_id", "created_at"),
        Index("ix_password_resets_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key_id: Mapped[str] = mapped_column(String(16))
    mails: Mapped[int]
    device: Mapped[str | None] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    code_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
