"""An account that its owner wants deleted, until it is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class AccountDeletion(Base):
    """One wish; there is one at most for an account, and it goes when it is undone, or with the account.

    The mail's link to undo it is computed from ``id`` and ``key_id``. ``begun_at`` is the point of no return: from
    then on the account is being erased, in as many steps as it takes, and nothing restores it.
    The job ``accounts.purge`` erases what is due (``DELETION_GRACE_DAYS``), along ``ix_account_deletions_due_at``.
    """

    __tablename__ = "account_deletions"
    __table_args__ = (
        Index("uq_account_deletions_user_id", "user_id", unique=True),
        Index("ix_account_deletions_due_at", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key_id: Mapped[str] = mapped_column(String(16))
    mails: Mapped[int]
    device: Mapped[str | None] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
