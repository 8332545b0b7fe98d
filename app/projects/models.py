"""A project and who belongs to it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    FetchedValue,
    ForeignKey,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.errors import AppError, Code


class ProjectStatus(StrEnum):
    active = "active"
    archived = "archived"
    deleted = "deleted"


class ProjectRole(StrEnum):
    """Roles in a project, the strongest last."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"
    owner = "owner"


class Project(Base):
    """``deleted`` means in the trash, from where the job ``projects.purge_trash`` removes it after ``TRASH_DAYS``.

    ``crowded`` means that it once had more than 20 members; see the module ``listing``.
    """

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'archived', 'deleted')", name="status"),
        CheckConstraint("(status = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_at"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 255", name="name_length"),
        Index("ix_projects_owner_id", "owner_id"),
        Index("ix_projects_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column()
    crowded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __mapper_args__ = {"version_id_col": version}

    def ensure_editable(self) -> None:
        """Raises: AppError: ``project_deleted`` or ``project_archived``."""
        self.ensure_not_deleted()
        if self.status == ProjectStatus.archived:
            raise AppError(Code.project_archived, "This project is archived. Unarchive it to change it.")

    def ensure_not_deleted(self) -> None:
        """Raises: AppError: ``project_deleted``."""
        if self.status == ProjectStatus.deleted:
            raise AppError(Code.project_deleted, "This project is in the trash. Restore it to change it.")

    def apply(self, changes: Mapping[str, Any], now: datetime) -> dict[str, dict[str, Any]]:
        """Take over changed fields; the answer tells before and after of those that differ."""
        told = {
            field: {"before": getattr(self, field), "after": value}
            for field, value in changes.items()
            if getattr(self, field) != value
        }
        for field, values in told.items():
            setattr(self, field, values["after"])
        if told:
            self.updated_at = now
        return told

    def archive(self, now: datetime) -> bool:
        """Make it read-only; whether that changed anything."""
        self.ensure_not_deleted()
        if self.status == ProjectStatus.archived:
            return False
        self.status, self.archived_at, self.updated_at = ProjectStatus.archived.value, now, now
        return True

    def unarchive(self, now: datetime) -> bool:
        self.ensure_not_deleted()
        if self.status == ProjectStatus.active:
            return False
        self.status, self.archived_at, self.updated_at = ProjectStatus.active.value, None, now
        return True

    def trash(self, now: datetime) -> bool:
        if self.status == ProjectStatus.deleted:
            return False
        self.status, self.deleted_at, self.updated_at = ProjectStatus.deleted.value, now, now
        return True

    def restore(self, now: datetime) -> bool:
        """Back from the trash, with the status it had."""
        if self.status != ProjectStatus.deleted:
            return False
        had = ProjectStatus.archived if self.archived_at else ProjectStatus.active
        self.status, self.deleted_at, self.updated_at = had.value, None, now
        return True


class ProjectMember(Base):
    """That an account belongs to a project, and as what; the owner has a row too.

    The project's times are copies that triggers of migration 0011 keep, so that lists are read in their order; there is none
    of ``updated_at`` where the project is crowded.
    """

    __tablename__ = "project_members"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'admin', 'owner')", name="role"),
        Index("ix_project_members_user_id_project_id", "user_id", "project_id", postgresql_include=["role"]),
        Index("ix_project_members_project_id_joined_at", "project_id", "joined_at", "user_id"),
        Index("ix_project_members_user_id_project_created_at", "user_id", "project_created_at", "project_id"),
        Index("ix_project_members_user_id_project_updated_at", "user_id", "project_updated_at", "project_id"),
        Index(
            "uq_project_members_owner", "project_id", unique=True, postgresql_where=text("role = 'owner'"),
            info={"error": (Code.write_conflict, "A project has exactly one owner.")},
        ),
    )  # fmt: skip

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    project_created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=FetchedValue()
    )
    project_updated_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), server_default=FetchedValue()
    )

    __mapper_args__ = {"eager_defaults": False}


class ProjectStorage(Base):
    """What the files of a project take, counted by triggers of migration 0013 on files and uploads.

    Attributes:
        files: how many, without those in the trash.
        bytes: of all of them, the trash too.
        reserved: what uploads that are not complete may still take.
    """

    __tablename__ = "project_storage"
    __table_args__ = (CheckConstraint("files >= 0 AND bytes >= 0 AND reserved >= 0", name="not_negative"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    files: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
