"""A wish to have another address, proved by a mail to the new one; the old one may object."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class EmailChange(Base):
    """One request, with two mails: link and code to the new address, a cancel link to the old one (SEC-35).

    An address that belongs to somebody gets a row too, told by ``mails`` being 0: its owner gets another mail, and
    nothing confirms it. A request counts while it is neither confirmed, voided nor cancelled and the account's
    ``pending_email`` is its address: whatever clears that (a changed password) ends it.
    Kept until ``cancel_until`` (``EMAIL_CANCEL_HOURS`` after request or change) and ``expires_at``
    (``EMAIL_CHANGE_HOURS``) passed; the job ``email_changes.sweep`` deletes along ``ix_email_changes_cancel_until``.
    """

    __tablename__ = "email_changes"
    __table_args__ = (
        Index("ix_email_changes_user_id_created_at", "user_id", "created_at"),
        Index("ix_email_changes_cancel_until", "cancel_until"),
        Index(
            "ix_email_changes_expires_at",
            "expires_at",
            postgresql_where=text("confirmed_at IS NULL AND voided_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    new_email: Mapped[str] = mapped_column(String(254))
    old_email: Mapped[str] = mapped_column(String(254))
    key_id: Mapped[str] = mapped_column(String(16))
    mails: Mapped[int]
    device: Mapped[str | None] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    code_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cancel_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
