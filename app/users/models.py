"""The account row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.access import AccountStatus, SiteRole
from app.core.db import Base
from app.core.errors import Code


class User(Base):
    """An account. It exists once its address is proved, so an unproved one can never be signed in to (SEC-36)."""

    __tablename__ = "users"
    __table_args__ = (
        Index(
            "uq_users_email_key",
            "email_key",
            unique=True,
            info={"error": (Code.token_expired_or_used, "This address has been confirmed already. Sign in.")},
        ),
        CheckConstraint("role IN ('user', 'admin')", name="role"),
        CheckConstraint("status IN ('active', 'suspended', 'deletion_scheduled')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    pending_email: Mapped[str | None] = mapped_column(String(254))
    email_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    display_name: Mapped[str] = mapped_column(String(100))
    locale: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20), default=SiteRole.user.value)
    status: Mapped[str] = mapped_column(String(20), default=AccountStatus.active.value)
    mfa_enabled: Mapped[bool] = mapped_column(default=False)
    device_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    deletion_scheduled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __mapper_args__ = {"version_id_col": version}

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def has_password(self) -> bool:
        return self.password_hash is not None

    @property
    def avatar_url(self) -> None:
        """Accounts have no pictures yet; the field is in the contract, so it is answered as null."""
        return None

    def apply(self, changes: Mapping[str, Any], now: datetime) -> dict[str, dict[str, Any]]:
        """Take over changed profile fields; the answer tells before and after of those that differ."""
        told = {
            name: {"before": getattr(self, name), "after": value}
            for name, value in changes.items()
            if getattr(self, name) != value
        }
        for name, values in told.items():
            setattr(self, name, values["after"])
        if told:
            self.updated_at = now
        return told
