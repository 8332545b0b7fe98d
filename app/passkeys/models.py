"""A passkey of an account, and the question that an authenticator answers once."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.errors import Code


class Purpose(StrEnum):
    """What a challenge was asked for; it proves nothing else (SEC-23)."""

    register = "register"
    sign_in = "sign_in"
    second_step = "second_step"
    step_up = "step_up"


class Passkey(Base):
    """A public key whose private half an authenticator keeps, and gives out a signature with after seeing its owner.

    ``sign_count`` is the authenticator's own counter, 0 for those that keep none. ``backup_eligible`` says whether the
    key may be copied to other devices of its owner, ``backed_up`` whether it was when last seen. Kept until it is
    deleted, at most nine for an account (``MOST_PASSKEYS``).
    """

    __tablename__ = "passkeys"
    __table_args__ = (
        Index(
            "uq_passkeys_credential_id",
            "credential_id",
            unique=True,
            info={"error": (Code.write_conflict, "This passkey is registered already.")},
        ),
        Index("ix_passkeys_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(100))
    transports: Mapped[list[str]] = mapped_column(JSONB)
    aaguid: Mapped[UUID]
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    def used(self, now: datetime, *, sign_count: int, backed_up: bool) -> None:
        """It proved its owner just now."""
        self.sign_count, self.backed_up, self.last_used_at = sign_count, backed_up, now


class PasskeyChallenge(Base):
    """A random question, found by the digest of the token that its client got, and gone with the first answer.

    ``second_step_id`` is the sign-in that waits for it. Kept five minutes; the job ``passkeys.sweep`` deletes along
    ``ix_passkey_challenges_expires_at``.
    """

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        Index("ix_passkey_challenges_expires_at", "expires_at"),
        Index("ix_passkey_challenges_user_id", "user_id"),
        CheckConstraint("purpose IN ('register', 'sign_in', 'second_step', 'step_up')", name="purpose"),
        CheckConstraint("purpose = 'sign_in' OR user_id IS NOT NULL", name="bound"),
    )

    token_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    second_step_id: Mapped[UUID | None]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
