"""Statements about projects that are put together once."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.quick_statements import QuickInsert, QuickSelect, QuickUpdate
from app.projects.listing import NOT_ANOTHERS_TRASH
from app.projects.models import Project, ProjectMember
from app.projects.views import PLAIN


def _visible(user_id: BindParameter[UUID]) -> Select[Project, str]:
    return (
        select(Project, ProjectMember.role)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(ProjectMember.user_id == user_id, NOT_ANOTHERS_TRASH)
    )


# Built once: putting this statement together costs more than PostgreSQL takes to answer it.
ONE_VISIBLE = _visible(bindparam("user_id")).where(Project.id == bindparam("project_id"))
# The membership is locked too: who waited for the project would otherwise go on with the role of before the wait, because
# PostgreSQL looks again only at rows that it locks. The project comes first: whoever changes it writes all its memberships, so
# that one who held a membership and waited for the project would never get it.
ONE_LOCKED = ONE_VISIBLE.with_for_update(of=[Project, ProjectMember], key_share=True)

STILL_VISIBLE = (
    select(ProjectMember.project_id, ProjectMember.role)
    .join(Project, ProjectMember.project_id == Project.id)
    .where(
        ProjectMember.user_id == bindparam("user_id"),
        NOT_ANOTHERS_TRASH,
        Project.id.in_(bindparam("ids", expanding=True)),
    )
)

ONE_VIEW = QuickSelect(
    _visible(bindparam("user_id"))
    .with_only_columns(*(getattr(Project, name) for name in PLAIN), ProjectMember.role.label("my_role"))
    .where(Project.id == bindparam("project_id"))
)

SOME_PLAIN = QuickSelect(
    select(*(Project.__table__.c[name] for name in PLAIN)).where(
        Project.__table__.c.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
    )
)

MEMBERS = QuickSelect(
    select(ProjectMember.__table__.c.user_id).where(
        ProjectMember.__table__.c.project_id == bindparam("project_id", type_=Uuid())
    )
)

COLUMNS = tuple(column.key for column in Project.__table__.columns)
QUICKLY_LOCKED = QuickSelect(
    ONE_LOCKED.with_only_columns(*(getattr(Project, name) for name in COLUMNS), ProjectMember.role)
)
BEGUN_WITH = (
    "id", "owner_id", "name", "description", "status", "version", "created_at", "updated_at",
)  # fmt: skip
NEW_PROJECT = QuickInsert(Project, (*BEGUN_WITH, "crowded"))
# The times of the project are known: the trigger that looks for them does not run.
NEW_OWNER = QuickInsert(
    ProjectMember,
    ("project_id", "user_id", "role", "joined_at", "project_created_at", "project_updated_at"),
)


@lru_cache(maxsize=32)
def change_of(fields: frozenset[str]) -> QuickUpdate:
    """An UPDATE of these fields."""
    return QuickUpdate(Project, sorted(fields))
