"""What people do with projects."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.access import Actor, allow
from app.core.cache import FactCache
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.invalidation import Invalidator
from app.core.pagination import Page, PageRequest
from app.core.uow import UnitOfWork
from app.core.versions import check_version
from app.projects import policy
from app.projects.expansion import Expansion
from app.projects.filters import ProjectFilters
from app.projects.kept_lists import KeptLists
from app.projects.models import Project, ProjectMember, ProjectStatus
from app.projects.repository import ProjectRepository
from app.projects.views import KIND, ProjectView

SWEEP_BATCH = 200
PARTED_AT_ONCE = 20
"""Few: these are projects of others, who wait meanwhile."""
MOVED = ("status", "archived_at", "deleted_at", "updated_at")
"""What a change of status may change."""
Versions = Collection[int] | None


class ProjectService:
    """One method per use case; each is one transaction, and decides on the row it loaded."""

    def __init__(
        self,
        uow: UnitOfWork,
        projects: ProjectRepository,
        expansion: Expansion,
        lists: KeptLists,
        cache: FactCache,
        invalidator: Invalidator,
        events: Events,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._projects = projects
        self._expansion = expansion
        self._lists = lists
        self._cache = cache
        self._invalidator = invalidator
        self._events = events
        self._clock = clock

    def create(self, actor: Actor, name: str, description: str | None = None) -> ProjectView:
        """A new project of the caller's own."""
        project = ProjectView.begun(new_id(), name, description, actor.user_id, self._clock.now())
        with self._uow:
            self._projects.begin(project)
            told = {"name": {"before": None, "after": name}}
            self._tell(EventKind.project_created, actor, project, told)
            self._lists.forget([actor.user_id])
        return project

    def get(self, actor: Actor, project_id: UUID, expand: Collection[str] = ()) -> ProjectView:
        """One project.

        Raises:
            AppError: ``not_found`` where the caller may not know of it.
        """
        view: ProjectView | None = self._cache.fetch(
            KIND, str(project_id), str(actor.user_id), lambda: self._load(actor, project_id)
        )
        if view is None or not policy.can_read(view.my_role, view.status):
            raise not_found("project")
        return self._expansion.expand([view], expand)[0]

    def expect(self, user_id: UUID, project_id: UUID) -> None:
        """Have the facts of ``get`` come with what is asked of Redis next."""
        self._cache.expect(KIND, str(project_id), str(user_id))

    def expect_list(self, user_id: UUID) -> None:
        """The same for ``list_visible``."""
        self._lists.expect(user_id)

    def list_visible(
        self, actor: Actor, filters: ProjectFilters, request: PageRequest, expand: Collection[str] = ()
    ) -> Page[ProjectView]:
        """One page of the caller's projects.

        Raises:
            AppError: ``invalid_cursor``.
        """
        return self._lists.page(actor, filters, request, expand)

    def update(
        self, actor: Actor, project_id: UUID, changes: Mapping[str, Any], expected: Versions = None
    ) -> ProjectView:
        """Change name or description.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``version_conflict``, ``project_archived``, ``project_deleted``.
        """
        with self._uow:
            project, role = self._require(actor, project_id)
            allow(permitted=policy.can_edit(role))
            check_version(project, expected, lambda: ProjectView.of(project, role))
            project.ensure_editable()
            told = project.apply(changes, self._clock.now())
            if told:
                self._projects.save(project, {*told, "updated_at"})
                self._changed(EventKind.project_updated, actor, project, told)
            return ProjectView.of(project, role)

    def archive(self, actor: Actor, project_id: UUID) -> ProjectView:
        """Make a project read-only; doing it twice is doing it once."""
        return self._move(actor, project_id, policy.can_archive, Project.archive, EventKind.project_archived)

    def unarchive(self, actor: Actor, project_id: UUID) -> ProjectView:
        return self._move(
            actor, project_id, policy.can_archive, Project.unarchive, EventKind.project_unarchived
        )

    def trash(self, actor: Actor, project_id: UUID, expected: Versions = None) -> ProjectView:
        """Move a project to the trash, where its owner alone sees it."""
        return self._move(
            actor, project_id, policy.can_trash, Project.trash, EventKind.project_deleted, expected=expected
        )

    def restore(self, actor: Actor, project_id: UUID) -> ProjectView:
        """Take a project out of the trash, as it was."""
        return self._move(actor, project_id, policy.can_restore, Project.restore, EventKind.project_restored)

    def purge(self, actor: Actor, project_id: UUID) -> None:
        """Remove a project in the trash for good.

        Raises:
            AppError: ``write_conflict`` for one that is not in the trash.
        """
        with self._uow:
            project, role = self._require(actor, project_id)
            allow(permitted=policy.can_purge(role))
            if project.status != ProjectStatus.deleted:
                raise AppError(Code.write_conflict, "Only a project in the trash can be removed for good.")
            self._end(actor, project)
            self._projects.remove(self._projects.held(project))

    def purge_trash(self, keep_days: int) -> int:
        """Remove what lay in the trash long enough, in batches; the answer is how many projects."""
        removed = 0
        while True:
            with self._uow:
                old = self._projects.trashed_before(
                    self._clock.now() - timedelta(days=keep_days), SWEEP_BATCH
                )
                for project in old:
                    self._end(None, project)
                self._projects.forget_of([project.id for project in old])
            removed += len(old)
            if len(old) < SWEEP_BATCH:
                return removed

    def find(self, actor: Actor, project_id: UUID) -> tuple[Project, str]:
        """The project and the caller's role in it, for other features.

        Raises:
            AppError: ``not_found`` where the caller may not know of it.
        """
        with self._uow.reading():
            found = self._projects.find_visible(actor, project_id)
        if found is None:
            raise not_found("project")
        return found

    def hold(self, actor: Actor, project_id: UUID) -> tuple[Project, str]:
        """As ``find``, with the project locked until the caller's transaction ends."""
        with self._uow:
            project, role = self._require(actor, project_id)
            return self._projects.held(project), role

    def lock(self, ids: Collection[UUID]) -> list[Project]:
        """Projects, whoever asks, locked in the order of their ids until the caller's transaction ends; none that is gone."""
        with self._uow:
            return self._projects.lock(ids)

    def forget_facts(self, project: Project, *people: UUID) -> None:
        """Let every cache forget what it knows of a held project, and lists of its members, once the transaction is committed.

        Args: people: who belongs to it no longer.
        """
        self._invalidator.after_commit(KIND.namespace, str(project.id))
        members = () if project.crowded else self._projects.members_of(project.id)
        self._lists.forget({*members, *people})

    def set_owner(self, project: Project, owner_id: UUID, actor: Actor) -> None:
        """Note a held project's new owner; the memberships are the caller's matter."""
        with self._uow:
            told = project.apply({"owner_id": owner_id}, self._clock.now())
            plain = {name: str(value) for name, value in told["owner_id"].items()}
            self._changed(EventKind.project_transferred, actor, project, {"owner_id": plain})
            self._projects.flush()

    def owned_by(self, owner_id: UUID, project_id: UUID) -> Project | None:
        """A project, if that account owns it."""
        with self._uow.reading():
            project = self._projects.find(project_id)
        return project if project is not None and project.owner_id == owner_id else None

    def named(self, project_id: UUID) -> Project | None:
        """A project, whoever asks; for jobs that tell of it."""
        with self._uow.reading():
            return self._projects.find(project_id)

    def shared_of(self, owner_id: UUID, most: int) -> list[tuple[UUID, str]]:
        """Ids and names of projects of an owner that others belong to; they keep the owner from leaving."""
        with self._uow.reading():
            return self._projects.shared_of(owner_id, most)

    def erase_owned(self, owner_id: UUID) -> int:
        """Erase some projects of an owner who leaves, with their history; the answer is how many, 0 when none is left."""
        with self._uow:
            owned = self._projects.owned(owner_id, SWEEP_BATCH)
            for project in owned:
                self.forget_facts(project)
            ids = [project.id for project in owned]
            self._events.forget_projects(ids)
            self._projects.forget_of(ids)
            return len(ids)

    def erase_memberships(self, user_id: UUID) -> int:
        """End some memberships of somebody who is erased; the answer is in how many projects, 0 when there is none left.

        The projects are held, as by everybody who writes memberships: the cascade from the account takes them in any order,
        and would meet those who change several projects.
        """
        with self._uow:
            ids = self._projects.joined_ids(user_id, PARTED_AT_ONCE)
            self._projects.lock(ids)
            self._projects.forget_member(user_id, ids)
            return len(ids)

    def belonging(self, user_id: UUID, after: UUID | None, most: int) -> list[tuple[Project, ProjectMember]]:
        """What somebody belongs to, by the project's id: so many rows after that one, for an export."""
        with self._uow.reading():
            return self._projects.belonging(user_id, after, most)

    def _move(
        self,
        actor: Actor,
        project_id: UUID,
        permitted: Callable[[str], bool],
        change: Callable[[Project, datetime], bool],
        kind: EventKind,
        *,
        expected: Versions = None,
    ) -> ProjectView:
        """A change of status: the same story for each, told once."""
        with self._uow:
            project, role = self._require(actor, project_id)
            allow(permitted=permitted(role))
            check_version(project, expected, lambda: ProjectView.of(project, role))
            before = project.status
            if change(project, self._clock.now()):
                self._projects.save(project, MOVED)
                self._changed(kind, actor, project, {"status": {"before": before, "after": project.status}})
            return ProjectView.of(project, role)

    def _require(self, actor: Actor, project_id: UUID) -> tuple[Project, str]:
        """The project, locked, and the caller's role in it; ``save`` writes one change of it."""
        found = self._projects.take(actor, project_id)
        if found is None:
            raise not_found("project")
        return found

    def _load(self, actor: Actor, project_id: UUID) -> ProjectView | None:
        with self._uow.reading():
            found = self._projects.view_visible(actor, project_id)
        return found.shared() if found else None

    def _end(self, actor: Actor | None, project: Project) -> None:
        """Tell that a project goes for good, its members one by one: they will have no project to hear it from."""
        self._projects.tell_of_the_end(project.id, actor.user_id if actor else None, self._clock.now())
        self._changed(EventKind.project_purged, actor, project, {})

    def _changed(
        self, kind: EventKind, actor: Actor | None, project: Project, told: Mapping[str, Any]
    ) -> None:
        """Tell it as an event, and let every cache forget the project once this is committed."""
        self._tell(kind, actor, project, told)
        self.forget_facts(project)

    def _tell(
        self, kind: EventKind, actor: Actor | None, project: Project | ProjectView, told: Mapping[str, Any]
    ) -> None:
        by = actor.user_id if actor else None
        self._events.record(kind, subject=project.id, project=project.id, actor=by, changes=told)
