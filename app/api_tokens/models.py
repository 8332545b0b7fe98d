"""A key with which a script acts in somebody's name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ApiToken(Base):
    """One token; of the token itself only its SHA-256 is kept.

    Kept ``SESSION_RETENTION_DAYS`` after its end, so that its owner finds why a script stopped; the job
    ``api_tokens.sweep`` deletes along ``ix_api_tokens_expires_at`` and ``ix_api_tokens_revoked_at``.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("uq_api_tokens_digest", "digest", unique=True),
        Index("ix_api_tokens_user_id_created_at_id", "user_id", "created_at", "id"),
        Index("ix_api_tokens_expires_at", "expires_at"),
        Index("ix_api_tokens_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(10)))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
