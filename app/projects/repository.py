"""SQL of projects and memberships."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    String,
    Uuid,
    delete,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.orm import object_session
from sqlalchemy.orm.util import identity_key

from app.core.access import Actor
from app.core.events import Event, EventKind
from app.core.pagination import Cursors, Page, PageRequest, page_of_prepared, query_scope
from app.core.repository import Repository
from app.core.telemetry import request_id
from app.core.uow import UnitOfWork
from app.projects.filters import ProjectFilters
from app.projects.listing import ProjectList
from app.projects.models import Project, ProjectMember, ProjectStatus, ProjectStorage
from app.projects.statements import (
    BEGUN_WITH,
    COLUMNS,
    MEMBERS,
    NEW_OWNER,
    NEW_PROJECT,
    ONE_LOCKED,
    ONE_VIEW,
    ONE_VISIBLE,
    QUICKLY_LOCKED,
    SOME_PLAIN,
    STILL_VISIBLE,
    change_of,
)  # fmt: skip
from app.projects.views import KnownViews, Listed, ProjectView
from app.users.models import User

STORED = {"files": ProjectStorage.files, "storage_bytes": ProjectStorage.bytes}


def _asked(actor: Actor, project_id: UUID) -> dict[str, UUID]:
    return {"user_id": actor.user_id, "project_id": project_id}


def _is_told(rows: Collection[Any]) -> bool:
    """Whether the person's lists are told of each change: where something tells that there is no crowd among their projects."""
    return any(not getattr(row, "in_a_crowd", True) for row in rows)


class ProjectRepository(Repository[Project]):
    """Args: known: what lists need not read again; without it they read all."""

    model = Project
    noun = "project"

    def __init__(self, uow: UnitOfWork, known: KnownViews | None = None) -> None:
        super().__init__(uow)
        self._known = known

    def find_visible(self, actor: Actor, project_id: UUID) -> tuple[Project, str] | None:
        """The project and the actor's role in it, or ``None``."""
        row = self.session.execute(ONE_VISIBLE, _asked(actor, project_id)).one_or_none()
        return (row[0], row[1]) if row else None

    def take(self, actor: Actor, project_id: UUID) -> tuple[Project, str] | None:
        """The same with the project locked. Where the session has not got it, it stays without: for one change, with ``save``."""
        values = _asked(actor, project_id)
        if self._uow.knows(identity_key(Project, project_id)):
            known = self.session.execute(ONE_LOCKED, values).one_or_none()
            return (known[0], known[1]) if known else None
        row = self.one(QUICKLY_LOCKED, values)
        return (self.made(dict(zip(COLUMNS, row, strict=False))), row.role) if row else None

    def held(self, project: Project) -> Project:
        """A project that was taken, in the session, which writes whatever changes."""
        return project if project in self.session else self.adopt(project)

    def save(self, project: Project, fields: Collection[str]) -> None:
        """Write the fields that changed of a project that was taken; its version moves on.

        What another transaction has changed meanwhile is a conflict, as where the session writes it.
        """
        if object_session(project) is not None:
            return self.flush()
        values = {name: getattr(project, name) for name in fields}
        key = {"id_": project.id, "version_": project.version}
        self._uow.later(change_of(frozenset(fields)), {**values, **key})
        project.version += 1
        return None

    def view_visible(self, actor: Actor, project_id: UUID) -> ProjectView | None:
        """The project as the actor sees it, or ``None``."""
        row = self.one(ONE_VIEW, {"user_id": actor.user_id, "project_id": project_id})
        return ProjectView.read(row) if row else None

    def lock(self, ids: Collection[UUID]) -> list[Project]:
        """Projects, whoever asks, locked in the order of their ids."""
        statement = (
            select(Project).where(Project.id.in_(ids)).order_by(Project.id).with_for_update(key_share=True)
        )
        return list(self.session.execute(statement).scalars())

    def list_visible(
        self, actor: Actor, filters: ProjectFilters, cursors: Cursors, request: PageRequest
    ) -> Listed:
        """One page of what the actor may see; of projects that are known by now only what tells that they are the same."""

        def rows(listed: ProjectList) -> Page[Any]:
            query = listed.shape.order, vars(replace(filters, sort=None))
            scope = query_scope("projects", actor.user_id, *query)
            return page_of_prepared(
                self._uow, listed, cursors=cursors, scope=scope, request=request, make=lambda row: row
            )

        known = self._known
        crowd = known is not None
        narrow = known is not None and known.expects(actor.user_id)
        listed = ProjectList(actor.user_id, filters, narrow=narrow, crowd=crowd)
        if listed.shape.narrow:
            told = rows(listed)
            views = self._views_of(told.items)
            if views is not None:
                return Listed(replace(told, items=views), _is_told(told.items))
        whole = rows(ProjectList(actor.user_id, filters, crowd=crowd))
        page = replace(whole, items=[ProjectView.read(row) for row in whole.items])
        if known is not None:
            known.put_page(actor.user_id, page.items)
        return Listed(page, _is_told(whole.items))

    def _views_of(self, rows: Collection[Any]) -> list[ProjectView] | None:
        """What a narrow statement told of; ``None`` where one changed since: whether it belongs there is for a statement to say."""
        known = self._known
        assert known is not None
        views = {row.row_key: known.get(row) for row in rows}
        unknown = {row.row_key: row for row in rows if views[row.row_key] is None}
        if unknown:
            for read in SOME_PLAIN.all(self._uow.connection, {"ids": list(unknown)}):
                row = unknown[read.id]
                if (read.version, read.updated_at) == (row.version, row.updated_at):
                    views[read.id] = view = ProjectView.of(read, row.my_role)
                    known.put(view)
        found = [view for view in views.values() if view is not None]
        return found if len(found) == len(rows) else None

    def confirms(self, actor: Actor, shown: Collection[ProjectView]) -> bool:
        """Whether the actor may see each of these, in the role that it shows: what they were read from may lag."""
        asked = {"user_id": actor.user_id, "ids": [project.id for project in shown]}
        roles = (
            {row.project_id: row.role for row in self.session.execute(STILL_VISIBLE, asked)} if shown else {}
        )
        return all(roles.get(project.id) == project.my_role for project in shown)

    def begin(self, project: ProjectView) -> None:
        """Write a new project and its owner's membership, at once."""
        given = {name: getattr(project, name) for name in BEGUN_WITH}
        self._uow.later(NEW_PROJECT, {**given, "crowded": False})
        self._uow.later(NEW_OWNER, {
            "project_id": project.id, "user_id": project.owner_id, "role": project.my_role,
            "joined_at": project.created_at,
            "project_created_at": project.created_at, "project_updated_at": project.updated_at,
        })  # fmt: skip

    def owners(self, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
        """What is shown of the owners: id and display name."""
        rows = self.session.execute(select(User.id, User.display_name).where(User.id.in_(ids)))
        return {row.id: {"id": row.id, "display_name": row.display_name} for row in rows}

    def counts(self, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
        """What is counted of projects: members, files that are not in the trash, bytes of all of them."""
        taken = ((name, func.coalesce(func.max(column), 0)) for name, column in STORED.items())
        counted = (
            select(
                ProjectMember.project_id,
                func.count().label("members"),
                *(of.label(name) for name, of in taken),
            )
            .outerjoin(ProjectStorage, ProjectStorage.project_id == ProjectMember.project_id)
            .where(ProjectMember.project_id.in_(ids))
            .group_by(ProjectMember.project_id)
        )
        rows = self.session.execute(counted).mappings()
        return {row["project_id"]: {name: row[name] for name in ("members", *STORED)} for row in rows}

    def remove(self, project: Project) -> None:
        self.session.delete(project)

    def trashed_before(self, moment: datetime, most: int) -> list[Project]:
        """Projects that lay in the trash long enough, locked; those another worker holds are left to it."""
        statement = (
            select(Project)
            .where(Project.deleted_at < moment)
            .order_by(Project.deleted_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return list(self.session.execute(statement).scalars())

    def members_of(self, project_id: UUID) -> list[UUID]:
        """Who belongs to a project, with what this transaction has changed; of one that is held, all."""
        rows = MEMBERS.all(self._uow.connection, {"project_id": project_id})
        return [row.user_id for row in rows]

    def shared_of(self, owner_id: UUID, most: int) -> list[tuple[UUID, str]]:
        """Projects of an owner that others belong to: ids and names."""
        others = select(ProjectMember.project_id).where(
            ProjectMember.project_id == Project.id, ProjectMember.user_id != owner_id
        )
        statement = (
            select(Project.id, Project.name)
            .where(Project.owner_id == owner_id, others.exists())
            .order_by(Project.id)
            .limit(most)
        )
        return [(row.id, row.name) for row in self.session.execute(statement)]

    def owned(self, owner_id: UUID, most: int) -> list[Project]:
        """Some projects of an owner, locked."""
        statement = select(Project).where(Project.owner_id == owner_id).limit(most).with_for_update()
        return list(self.session.execute(statement).scalars())

    def joined_ids(self, user_id: UUID, most: int) -> list[UUID]:
        """Some projects that somebody belongs to."""
        statement = select(ProjectMember.project_id).where(ProjectMember.user_id == user_id).limit(most)
        return list(self.session.execute(statement).scalars())

    def forget_member(self, user_id: UUID, ids: Collection[UUID]) -> None:
        """Delete somebody's memberships in projects that the caller holds."""
        self.session.execute(
            delete(ProjectMember).where(ProjectMember.user_id == user_id, ProjectMember.project_id.in_(ids))
        )

    def belonging(self, user_id: UUID, after: UUID | None, most: int) -> list[tuple[Project, ProjectMember]]:
        """What somebody belongs to, by the project's id, so many after that one; strangers' trash is not theirs."""
        statement = (
            select(Project, ProjectMember)
            .join(ProjectMember, ProjectMember.project_id == Project.id)
            .where(
                ProjectMember.user_id == user_id,
                (Project.status != ProjectStatus.deleted.value) | (Project.owner_id == user_id),
            )
            .order_by(ProjectMember.project_id)
            .limit(most)
        )
        if after is not None:
            statement = statement.where(ProjectMember.project_id > after)
        return [(row[0], row[1]) for row in self.session.execute(statement)]

    def tell_of_the_end(self, project_id: UUID, actor: UUID | None, now: datetime) -> None:
        """One event for each member, before the memberships are gone: nothing else will say who they were."""
        role = func.jsonb_build_object("before", ProjectMember.role, "after", null())
        losses = select(
            literal(EventKind.member_removed.value),
            literal(actor, Uuid()),
            ProjectMember.user_id,
            ProjectMember.project_id,
            func.jsonb_build_object("role", role),
            literal(request_id.get(), String()),
            literal(now, DateTime(timezone=True)),
        ).where(ProjectMember.project_id == project_id)
        told = ("kind", "actor_id", "subject_id", "project_id", "changes", "request_id", "created_at")
        self.session.execute(insert(Event).from_select(told, losses))

    def forget_of(self, ids: Collection[UUID]) -> None:
        """Delete projects for good, with their memberships."""
        self.session.execute(delete(Project).where(Project.id.in_(ids)))
