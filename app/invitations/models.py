"""An invitation to a project: for one e-mail address, with a role, for a while."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, func, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.errors import Code


class InvitationStatus(StrEnum):
    pending = "pending"
    accepted = "accepted"
    declined = "declined"
    revoked = "revoked"
    expired = "expired"


OPEN = "accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL"


class Invitation(Base):
    """The person who proves the address decides; no link is stored, it is computed from the id and a key.

    Open until it is accepted, declined or revoked; one that ran out is open too, until it is sent again or another
    one takes its place. Of open ones there is one for each project and address.
    Kept ``INVITATION_RETENTION_DAYS`` after it was closed or ran out; the job ``invitations.sweep`` deletes along
    ``ix_invitations_ended_at``.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="role"),
        CheckConstraint("num_nonnulls(accepted_at, declined_at, revoked_at) <= 1", name="closed_once"),
        Index(
            "uq_invitations_project_id_email_key", "project_id", "email_key", unique=True,
            postgresql_where=text(OPEN),
            info={"error": (Code.invitation_pending, "This address is invited already, and the invitation is open.")},
        ),
        Index("ix_invitations_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_invitations_email_key_created_at_id", "email_key", "created_at", "id"),
        Index("ix_invitations_invited_by", "invited_by", postgresql_where=text("invited_by IS NOT NULL")),
        Index(
            "ix_invitations_ended_at",
            func.coalesce(*(literal_column(name) for name in ("accepted_at", "declined_at", "revoked_at", "expires_at"))),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(10))
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    key_id: Mapped[str] = mapped_column(String(16))
    mails: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def open(self) -> bool:
        """Whether nobody has closed it; it may have run out all the same."""
        return self.accepted_at is None and self.declined_at is None and self.revoked_at is None

    def status(self, now: datetime) -> InvitationStatus:
        """What has become of it; one that was revoked after it ran out has expired."""
        if self.accepted_at is not None:
            return InvitationStatus.accepted
        if self.declined_at is not None:
            return InvitationStatus.declined
        if self.revoked_at is not None and self.revoked_at < self.expires_at:
            return InvitationStatus.revoked
        return InvitationStatus.pending if now < self.expires_at else InvitationStatus.expired

    def pending(self, now: datetime) -> bool:
        """Whether it can be accepted, as far as it depends on the invitation."""
        return self.open and now < self.expires_at
