"""The same done to many projects: each on its own, all in one transaction, told in the order they were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.core.access import Actor
from app.core.errors import AppError, Code
from app.core.uow import UnitOfWork
from app.projects.service import ProjectService
from app.projects.views import ProjectView

REFUSALS = {Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted}
"""What one project may answer without keeping the others; all else ends the request, and nothing is done."""


class BulkAction(StrEnum):
    archive = "archive"
    unarchive = "unarchive"
    delete = "delete"
    restore = "restore"


@dataclass(frozen=True)
class BulkOutcome:
    """What became of one: the project, or why not."""

    id: UUID
    project: ProjectView | None = None
    refusal: AppError | None = None


class ProjectBulk:
    def __init__(self, uow: UnitOfWork, projects: ProjectService) -> None:
        self._uow = uow
        self._acts: dict[BulkAction, Callable[[Actor, UUID], ProjectView]] = {
            BulkAction.archive: projects.archive,
            BulkAction.unarchive: projects.unarchive,
            BulkAction.delete: projects.trash,
            BulkAction.restore: projects.restore,
        }

    def run(self, actor: Actor, action: str, ids: Sequence[UUID]) -> list[BulkOutcome]:
        """Do it to each; the answer has one outcome for each id, in the order of ``ids``.

        Args:
            action: a ``BulkAction``.
            ids: each once.
        """
        act = self._acts[BulkAction(action)]
        with self._uow:
            # Rows are locked in one order whoever comes, so that two bulks never wait for each other.
            outcomes = {project_id: self._one(act, actor, project_id) for project_id in sorted(ids)}
        return [outcomes[project_id] for project_id in ids]

    def _one(self, act: Callable[[Actor, UUID], ProjectView], actor: Actor, project_id: UUID) -> BulkOutcome:
        try:
            with self._uow.item():
                return BulkOutcome(project_id, project=act(actor, project_id))
        except AppError as refusal:
            if refusal.code not in REFUSALS:
                raise
            return BulkOutcome(project_id, refusal=refusal)
