"""What proves somebody besides a password, and sign-ins that wait for it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class TotpFactor(Base):
    """The authenticator app of an account: one at most, and it goes with the account.

    It counts once ``confirmed_at`` is set by a first right code (SEC-32); until then another may be put in its place.
    ``sealed`` is the secret under the key ``key_id`` (AES-256-GCM, about the account's id); ``last_step`` is the time
    step of the last code that was accepted, and none that is not newer is ever accepted (SEC-30).
    """

    __tablename__ = "totp_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RecoveryCode(Base):
    """One of ten codes that each prove an account once (SEC-33): SHA-256 of 120 random bits.

    New ones take the place of all older ones, so an account never has more than ten rows.
    """

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MfaChallenge(Base):
    """A sign-in whose password was right and whose second factor is still to come (SEC-31).

    Attributes:
        password_mark: SHA-256 of the password hash that was checked: a reset in between voids the challenge.
        device_id: of the known device that it began on, if it was one.
        tries: codes that were looked at, counted before each look; five at most.

    Kept ``MFA_TOKEN_SECONDS``; the job ``mfa_challenges.sweep`` deletes along ``ix_mfa_challenges_expires_at``.
    """

    __tablename__ = "mfa_challenges"
    __table_args__ = (Index("ix_mfa_challenges_expires_at", "expires_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    password_mark: Mapped[bytes] = mapped_column(LargeBinary)
    device_id: Mapped[UUID | None]
    tries: Mapped[int]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
