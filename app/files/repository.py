"""SQL of files, their previews, and the room that they take."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import CTE, SQLColumnExpression, delete, func, select, text, update

from app.core.db import rows_changed
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.core.search import anywhere, words
from app.files.filters import FileFilters
from app.files.models import File, FilePreview, FileState
from app.projects.models import Project, ProjectMember, ProjectStatus, ProjectStorage

Item = TypeVar("Item")
SORTED_BY: dict[str, tuple[SQLColumnExpression[Any], Callable[[Any], Any]]] = {
    "created_at": (File.created_at, datetime.fromisoformat),
    "updated_at": (File.updated_at, datetime.fromisoformat),
    "name": (func.lower(File.name), str),
    "size": (File.size, int),
}
ROOM_TAKEN = select(func.coalesce(func.sum(ProjectStorage.bytes + ProjectStorage.reserved), 0))
ONE_ACCOUNT = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('storage of ' || CAST(:account AS text), 0))"
)


class FileRepository(Repository[File]):
    model = File
    noun = "file"

    def of(self, project_id: UUID, file_id: UUID, *, lock: bool = False) -> File | None:
        """A file, if it is in that project (SEC-40)."""
        statement = select(File).where(File.id == file_id, File.project_id == project_id)
        if lock:
            statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
        return self.session.execute(statement).scalar_one_or_none()

    def page(
        self,
        project_id: UUID,
        viewer_id: UUID,
        filters: FileFilters,
        cursors: Cursors,
        request: PageRequest,
        make: Callable[[File], Item],
    ) -> Page[Item]:
        """One page of a project's files."""
        wanted = select(File).where(File.project_id == project_id)
        wanted = wanted.where(File.deleted_at.is_not(None) if filters.trashed else File.deleted_at.is_(None))
        if filters.state:
            wanted = wanted.where(File.state == filters.state)
        for word in words(filters.q or ""):
            wanted = wanted.where(File.name.ilike(anywhere(word)))
        expression, revive = SORTED_BY[filters.sort.removeprefix("-")]
        return page_of(
            self.session, wanted, sort=Sort(expression, filters.sort.startswith("-"), revive), key=File.id,
            cursors=cursors, scope=query_scope("files", viewer_id, project_id, asdict(filters)), request=request,
            make=lambda row: make(row[0]),
        )  # fmt: skip

    def preview(self, file_id: UUID, edge: int) -> FilePreview | None:
        """The smallest picture that is at least so large, else the largest."""
        pictures = select(FilePreview).where(FilePreview.file_id == file_id)
        large_enough = pictures.where(FilePreview.edge >= edge).order_by(FilePreview.edge).limit(1)
        found = self.session.execute(large_enough).scalar_one_or_none()
        largest = pictures.order_by(FilePreview.edge.desc()).limit(1)
        return found or self.session.execute(largest).scalar_one_or_none()

    def add_preview(self, preview: FilePreview) -> None:
        self.session.add(preview)

    def forget_previews(self, file_id: UUID) -> None:
        self.session.execute(delete(FilePreview).where(FilePreview.file_id == file_id))

    def begin_processing(self, file_id: UUID) -> File | None:
        """Count one more attempt; ``None`` where there is nothing left to do."""
        begun = (
            update(File)
            .where(File.id == file_id, File.state == FileState.processing.value)
            .values(attempts=File.attempts + 1)
            .returning(File)
            .execution_options(populate_existing=True)
        )
        return self.session.execute(begun).scalar_one_or_none()

    def settle(self, file_id: UUID, state: FileState, failure_code: str | None, *, previews: bool) -> bool:
        """End processing; not an edit, so the version stays. Whether it was still to be ended."""
        settled = (
            update(File)
            .where(File.id == file_id, File.state == FileState.processing.value)
            .values(state=state.value, failure_code=failure_code, previews=previews)
            .execution_options(synchronize_session=False)
        )
        return bool(rows_changed(self.session, settled))

    def unprocessed_since(self, moment: datetime, most: int) -> list[UUID]:
        """Files that still wait for the worker, uploaded before that moment."""
        waiting = select(File.id).where(File.state == FileState.processing.value, File.created_at < moment)
        return list(self.session.execute(waiting.order_by(File.created_at).limit(most)).scalars())

    def trashed_before(self, moment: datetime, most: int) -> list[File]:
        """Files that lay in the trash long enough, locked; those another worker holds are left to it."""
        old = select(File).where(File.deleted_at < moment).order_by(File.deleted_at).limit(most)
        return list(self.session.execute(old.with_for_update(skip_locked=True)).scalars())

    def forget(self, ids: Collection[UUID]) -> None:
        self.session.execute(delete(File).where(File.id.in_(ids)))

    def taken_by_project(self, project_id: UUID) -> int:
        """Bytes of its files and of what is on its way in."""
        return int(self.session.scalar(ROOM_TAKEN.where(ProjectStorage.project_id == project_id)) or 0)

    def taken_by_account(self, owner_id: UUID) -> int:
        """The same of all projects of an owner; whoever asks this lets nobody else of the account ask before they are done."""
        self.session.execute(ONE_ACCOUNT, {"account": str(owner_id)})
        owned = ROOM_TAKEN.join(Project, Project.id == ProjectStorage.project_id)
        return int(self.session.scalar(owned.where(Project.owner_id == owner_id)) or 0)

    def of_person(self, user_id: UUID, after: UUID | None, most: int) -> list[tuple[File, str]]:
        """What is somebody's to take along, with the project's name, by the file's id: so many after that one."""
        theirs = _of_person(user_id)
        page = select(theirs.c.id).order_by(theirs.c.id).limit(most)
        if after is not None:
            page = page.where(theirs.c.id > after)
        found = (
            select(File, Project.name)
            .join(Project, Project.id == File.project_id)
            .where(File.id.in_(page))
            .order_by(File.id)
        )
        return [(row[0], row[1]) for row in self.session.execute(found)]

    def count_of_person(self, user_id: UUID) -> int:
        return self.session.scalar(select(func.count()).select_from(_of_person(user_id))) or 0


def _of_person(user_id: UUID) -> CTE:
    """Ids of all files in their projects, and of those they uploaded to projects of others that they belong to; the trash too.

    Read off two indexes before they are put in order: with the limit in sight the planner would rather walk along the files
    of everybody.
    """
    owned = select(File.id).join(Project, Project.id == File.project_id).where(Project.owner_id == user_id)
    uploaded = (
        select(File.id)
        .join(Project, Project.id == File.project_id)
        .join(ProjectMember, ProjectMember.project_id == File.project_id)
        .where(
            File.uploaded_by == user_id,
            ProjectMember.user_id == user_id,
            Project.owner_id != user_id,
            Project.status != ProjectStatus.deleted.value,
        )
    )
    return owned.union_all(uploaded).cte("theirs").prefix_with("MATERIALIZED")
