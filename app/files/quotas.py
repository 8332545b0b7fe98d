"""How much room there is: of a project, and of the account that owns it."""

from dataclasses import dataclass

from app.config import Settings
from app.core.errors import AppError, Code, QuotaScope
from app.files.repository import FileRepository
from app.projects.models import Project

IN_WORDS = {
    QuotaScope.project: "the project is full",
    QuotaScope.account: "the account that owns the project is full",
}


@dataclass(frozen=True)
class Room:
    """Attributes: left: bytes. scope: whose limit is the narrower one; the project's where both leave the same."""

    left: int
    scope: QuotaScope


@dataclass(frozen=True)
class Quotas:
    """Bytes; 0 is no limit."""

    project: int
    account: int

    @classmethod
    def of(cls, settings: Settings) -> "Quotas":
        return cls(settings.project_quota_bytes, settings.account_quota_bytes)

    def left(self, rows: FileRepository, project: Project) -> Room | None:
        """What is left, as both limits have it; ``None`` where there is none.

        The caller holds the project, and keeps the account to itself by asking: who reserves room in the same transaction
        takes no more than there is, however many do so at once (SEC-46).
        """
        left = []
        if self.project:
            left.append(Room(self.project - rows.taken_by_project(project.id), QuotaScope.project))
        if self.account:
            left.append(Room(self.account - rows.taken_by_account(project.owner_id), QuotaScope.account))
        narrower = min(left, key=lambda room: room.left, default=None)
        return Room(max(0, narrower.left), narrower.scope) if narrower else None


def no_room(room: Room) -> AppError:
    """The refusal of what does not go into it."""
    return AppError(
        Code.quota_exceeded,
        f"There is no room for this file, {IN_WORDS[room.scope]}: {room.left:,} bytes are left."
        " What is in the trash counts until it is removed.",
        extra={"left": room.left, "scope": room.scope.value},
    )
