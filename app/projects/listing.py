"""SQL of a list of projects: where it begins, what narrows it, in which order it comes.

Every list begins with the caller's memberships, so that its cost depends on how many projects the caller has and not on how
many there are. For the two orders by time a membership has a copy of its project's times, with an index: a page is read off
that index, and nothing is sorted. A trigger of migration 0011 keeps the copy of ``updated_at``, for all members of a project
until it is crowded; a change in a crowded one would be a write for each of its members, so its members have no copy, and those
few are sorted and merged in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import (
    REAL,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.core.pagination import Sort
from app.core.repository import anywhere
from app.core.search import mistyped, words
from app.projects.filters import DEFAULT_SORT, RELEVANCE, ProjectFilters
from app.projects.models import Project, ProjectMember, ProjectRole, ProjectStatus

Visible = Select[Project, str]
PLAIN_ORDERS: dict[str, SQLColumnExpression[str]] = {"name": func.lower(Project.name)}


@dataclass(frozen=True)
class Listing:
    """A statement that is not ordered yet, its order by name and as SQL, and the column that breaks ties."""

    order: str
    statement: Visible
    sort: Sort
    key: SQLColumnExpression[UUID]


def visible(user_id: UUID | BindParameter[UUID]) -> Visible:
    """Projects somebody belongs to, each with their role; the trash is its owner's alone."""
    mine = ProjectMember.__table__
    return _of(mine).where(mine.c.user_id == user_id)


def listing(user_id: UUID, filters: ProjectFilters) -> Listing:
    """What somebody's list is read from."""
    name = filters.sort or (RELEVANCE if filters.q else DEFAULT_SORT)
    if name == RELEVANCE and not filters.q:
        name = DEFAULT_SORT
    descending, field = name.startswith("-") or name == RELEVANCE, name.removeprefix("-")
    narrowed = _narrowed(filters)
    if field in {"created_at", "updated_at"}:
        mine = _by_creation(user_id) if field == "created_at" else _by_change(user_id, descending=descending)
        sort = Sort(mine.c.sorted_at, descending, datetime.fromisoformat)
        return Listing(name, _of(mine).where(*narrowed, *_of_role(mine, filters)), sort, mine.c.project_id)
    sort = _relevance(filters.q or "") if name == RELEVANCE else Sort(PLAIN_ORDERS[field], descending)
    statement = visible(user_id).where(*narrowed, *_of_role(ProjectMember.__table__, filters))
    return Listing(name, statement, sort, Project.id)


def _of(mine: FromClause) -> Visible:
    return (
        select(Project, mine.c.role)
        .join(mine, mine.c.project_id == Project.id)
        .where(or_(Project.status != ProjectStatus.deleted.value, mine.c.role == ProjectRole.owner.value))
    )


def _by_creation(user_id: UUID) -> FromClause:
    member = ProjectMember
    own = select(member.project_id, member.role, member.project_created_at.label("sorted_at"))
    return own.where(member.user_id == user_id).subquery("mine")


def _by_change(user_id: UUID, *, descending: bool) -> FromClause:
    """Two parts, each in order, which PostgreSQL merges while it reads them."""
    member = ProjectMember
    copied = select(member.project_id, member.role, member.project_updated_at.label("sorted_at")).where(
        member.user_id == user_id, member.project_updated_at.is_not(None)
    )
    crowded = (
        select(member.project_id, member.role, Project.updated_at.label("sorted_at"))
        .join(Project, Project.id == member.project_id)
        .where(member.user_id == user_id, member.project_updated_at.is_(None))
    )
    keys = (Project.updated_at, Project.id)
    ordered = crowded.order_by(*(key.desc() if descending else key.asc() for key in keys)).subquery()
    return union_all(copied, select(ordered)).subquery("mine")


def _narrowed(filters: ProjectFilters) -> Iterator[ColumnElement[bool]]:
    yield Project.status.in_(list(filters.status))
    for word in words(normalize("NFC", filters.q or "")):
        yield _has(word)
    if filters.owner_id:
        yield Project.owner_id == filters.owner_id
    if filters.created_after:
        yield Project.created_at >= filters.created_after
    if filters.created_before:
        yield Project.created_at < filters.created_before
    if filters.updated_after:
        yield Project.updated_at >= filters.updated_after


def _of_role(mine: FromClause, filters: ProjectFilters) -> list[ColumnElement[bool]]:
    return [mine.c.role == filters.role] if filters.role else []


def _has(word: str) -> ColumnElement[bool]:
    """Whether a name has the word in it, or begins one of its words with it and a typing error."""
    name = _folded(Project.name)
    found = name.like(_folded(literal(anywhere(word))))
    pattern = mistyped(word)
    return or_(found, name.regexp_match(_folded(literal(pattern)))) if pattern else found


def _folded(text: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Without regard to case and to how letters with marks are put together.

    By the database on both sides: Python lowers some letters otherwise (a final sigma, a dotted I).
    """
    return func.lower(func.normalize(text))


def _relevance(q: str) -> Sort:
    # similarity() answers float4; the bound value must be one too, or equal keys would not compare as equal.
    return Sort(
        func.similarity(_folded(Project.name), _folded(literal(q))),
        True,
        lambda value: cast(literal(value), REAL),
    )
