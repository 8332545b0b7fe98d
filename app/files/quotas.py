"""How much room there is: of a project, and of the account that owns it."""

from dataclasses import dataclass

from app.config import Settings
from app.core.errors import AppError, Code
from app.files.repository import FileRepository
from app.projects.models import Project


@dataclass(frozen=True)
class Quotas:
    """Bytes; 0 is no limit."""

    project: int
    account: int

    @classmethod
    def of(cls, settings: Settings) -> "Quotas":
        return cls(settings.project_quota_bytes, settings.account_quota_bytes)

    def left(self, rows: FileRepository, project: Project) -> int | None:
        """What is left, as both limits have it; ``None`` where there is none.

        The caller holds the project, and keeps the account to itself by asking: who reserves room in the same transaction
        takes no more than there is, however many do so at once (SEC-46).
        """
        left = []
        if self.project:
            left.append(self.project - rows.taken_by_project(project.id))
        if self.account:
            left.append(self.account - rows.taken_by_account(project.owner_id))
        return max(0, min(left)) if left else None


def no_room(left: int) -> AppError:
    """The refusal. Args: left: bytes there would be room for."""
    return AppError(
        Code.quota_exceeded,
        f"There is no room for this file: {left:,} bytes are left. What is in the trash counts until it is removed.",
        extra={"left": left},
    )
