"""One sign-in on one device, and the chain of refresh tokens it owns."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Transport(StrEnum):
    """How the refresh token travels: in JSON bodies (apps) or in a cookie (browsers)."""

    body = "body"
    cookie = "cookie"


class Session(Base):
    """A sign-in.

    ``counter`` is the generation of the newest refresh token, ``seen_generation`` the newest of which the server
    accepted any credential, ``min_generation`` the oldest whose access tokens are still good (SEC-18, SEC-26).
    ``authenticated_at`` is when identity was last proved in any way, ``factor_at`` when by a second factor or passkey.
    Kept ``SESSION_RETENTION_DAYS`` after its end; the job ``sessions.sweep`` deletes along ``ix_sessions_expires_at``.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_user_id_last_used_at", "user_id", "last_used_at"),
        Index("ix_sessions_expires_at", "expires_at"),
        Index("ix_sessions_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
        CheckConstraint("transport IN ('body', 'cookie')", name="transport"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    mac_key: Mapped[bytes] = mapped_column(LargeBinary)
    counter: Mapped[int]
    seen_generation: Mapped[int]
    min_generation: Mapped[int]
    auth_epoch: Mapped[int]
    transport: Mapped[str] = mapped_column(String(10))
    device_name: Mapped[str | None] = mapped_column(String(100))
    user_agent: Mapped[str] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(45))
    authenticated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    factor_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rotated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    idle_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_reason: Mapped[str | None] = mapped_column(String(30))

    def expired(self, now: datetime) -> bool:
        """Past its absolute end, or unused for too long."""
        return now >= self.expires_at or now >= self.idle_expires_at

    def rotate(self, now: datetime, idle: timedelta) -> None:
        """The current refresh token was used: it is seen, and a new generation begins."""
        self.seen_generation = self.counter
        self.counter += 1
        self.rotated_at = now
        self.touch(now, idle)

    def prove(self, now: datetime, *, factor: bool) -> None:
        """Identity was proved again: a new generation begins, and older access tokens end (SEC-26)."""
        self.authenticated_at = now
        if factor:
            self.factor_at = now
        self._begin_generation(now)

    def renew(self, now: datetime) -> None:
        """End the access tokens given out so far; the client's refresh token is the parent then, and still good.

        Done twice before the client comes, that token would be too old: a generation nobody was given is left as it is.
        The first one was given when the session was opened.
        """
        untouched = self.min_generation == self.counter > max(1, self.seen_generation)
        if not untouched:
            self._begin_generation(now)

    def _begin_generation(self, now: datetime) -> None:
        self.counter += 1
        self.min_generation = self.counter
        self.rotated_at = now

    def touch(self, now: datetime, idle: timedelta) -> None:
        """Being used moves the idle end, never the absolute one (SEC-17)."""
        self.last_used_at = now
        self.idle_expires_at = min(now + idle, self.expires_at)

    def revoke(self, now: datetime, reason: str) -> None:
        if self.revoked_at is None:
            self.revoked_at, self.revoked_reason = now, reason
