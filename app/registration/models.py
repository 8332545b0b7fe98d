"""A wish to have an account: kept until its address is proved, then gone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Registration(Base):
    """One attempt to register; several may wait for one address, each with its own mail, password and code.

    Only the attempt whose mail is answered becomes the account, so nobody can prepare a password for a stranger's
    address and wait (SEC-36). No code is stored: codes and links are computed from the row's id and a key.
    A known address gets a row too, told by ``mails`` being 0: nothing was sent for it and nothing confirms it, but a
    sign-in compares passwords with it as it does with any other, so that nobody learns which addresses are known.
    Kept ``VERIFICATION_HOURS``; the job ``registrations.sweep`` deletes along ``ix_registrations_expires_at``.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        Index("ix_registrations_email_key_created_at", "email_key", "created_at"),
        Index("ix_registrations_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(200))
    display_name: Mapped[str] = mapped_column(String(100))
    device: Mapped[str | None] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    key_id: Mapped[str] = mapped_column(String(16))
    mails: Mapped[int]
    code_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    @property
    def time_zone(self) -> None:
        """Nobody knows it yet."""
