"""SQL of a list of projects: where it begins, what narrows it, in which order it comes.

Every list begins with the caller's memberships, so that its cost depends on how many projects the caller has and not on how
many there are. For the two orders by time a membership has a copy of its project's times, with an index: a page is read off
that index, and nothing is sorted. A trigger of migration 0011 keeps the copy of ``updated_at``, for all members of a project
until it is crowded; a change in a crowded one would be a write for each of its members, so its members have no copy, and those
few are sorted and merged in.

A statement is put together once for each combination of order and filters: that takes longer than PostgreSQL takes to answer it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import (
    REAL,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    Subquery,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from app.core.pagination import Window, keyed
from app.core.quick_statements import QuickSelect
from app.core.search import anywhere, mistyped, words
from app.projects.filters import DEFAULT_SORT, RELEVANCE, ProjectFilters
from app.projects.models import Project, ProjectMember, ProjectRole, ProjectStatus
from app.projects.views import PLAIN

PROJECT, MEMBER = Project.__table__.c, ProjectMember.__table__.c
Columns = Select[*tuple[Any, ...]]
FILTERS: Mapping[str, ColumnElement[bool]] = {
    "role": MEMBER.role == bindparam("role", type_=String()),
    "owner_id": PROJECT.owner_id == bindparam("owner_id", type_=Uuid()),
    "created_after": PROJECT.created_at >= bindparam("created_after", type_=DateTime(timezone=True)),
    "created_before": PROJECT.created_at < bindparam("created_before", type_=DateTime(timezone=True)),
    "updated_after": PROJECT.updated_at >= bindparam("updated_after", type_=DateTime(timezone=True)),
}
TELLING = ("version", "updated_at")
"""With the id and the role: by these ``KnownViews`` knows a project again."""
OTHER = ProjectMember.__table__.alias("any_of_them")
IN_A_CROWD = (
    select(OTHER.c.project_id)
    .where(OTHER.c.user_id == bindparam("user_id", type_=Uuid()), OTHER.c.project_updated_at.is_(None))
    .exists()
    .label("in_a_crowd")
)
"""Whether the caller belongs to a crowded project, whatever is on the page: its changes are not told to each member's lists."""
NOT_ANOTHERS_TRASH = or_(
    PROJECT.status != ProjectStatus.deleted.value, MEMBER.role == ProjectRole.owner.value
)


def _folded(typed: ColumnElement[str]) -> ColumnElement[str]:
    """Without regard to case and to how letters with marks are put together.

    By the database on both sides: Python lowers some letters otherwise (a final sigma, a dotted I).
    """
    return func.lower(func.normalize(typed))


KINDS: Mapping[str, TypeEngine[Any]] = {
    "created_at": DateTime(timezone=True),
    "updated_at": DateTime(timezone=True),
    "name": String(),
    RELEVANCE: REAL(),
}
"""Of sort keys; a bound one is cast, since similarity() answers float4 and would not equal another number."""


@dataclass(frozen=True)
class Shape:
    """What a statement is made of, without the values.

    Attributes:
        order: name of the sort.
        filters: those that are set.
        words: of the search; whether a typing error is forgiven in each.
        narrow: whether only that is read which tells a version of a project from others; never with words.
        crowd: whether it is told if there is a crowded project among the caller's; never with words.
    """

    order: str
    filters: tuple[str, ...]
    words: tuple[bool, ...]
    narrow: bool = False
    crowd: bool = False

    @property
    def descending(self) -> bool:
        return self.order.startswith("-") or self.order == RELEVANCE


class ProjectList:
    """The pages of somebody's list.

    Args: narrow, crowd: see ``Shape``.

    Attributes:
        shape: of the statements.
        values: what they are given.
    """

    def __init__(
        self, user_id: UUID, filters: ProjectFilters, *, narrow: bool = False, crowd: bool = False
    ) -> None:
        order = filters.sort or RELEVANCE
        if order == RELEVANCE and not filters.q:
            order = DEFAULT_SORT
        given = {name: getattr(filters, name) for name in FILTERS if getattr(filters, name) is not None}
        q = normalize("NFC", filters.q or "")
        patterns = [(word, mistyped(word)) for word in words(q)]
        forgiving = tuple(mistaken is not None for _, mistaken in patterns)
        self.shape = Shape(order, tuple(given), forgiving, narrow and not patterns, crowd and not patterns)
        self.values = {
            **given,
            **{
                f"word_{at}": f"{word}|{mistaken}" if mistaken else anywhere(word)
                for at, (word, mistaken) in enumerate(patterns)
            },
            **({"q": q} if order == RELEVANCE else {}),
            "user_id": user_id,
            "status": [str(each) for each in filters.status],
        }

    def revive(self, key: Any) -> Any:
        """The sort key that a cursor holds."""
        return datetime.fromisoformat(key) if self.shape.order.endswith("_at") else key

    def page(self, *, resumes: bool) -> QuickSelect:
        """The statement of a page, the first one or one after a place."""
        return _page(self.shape, resumes)

    def all(self) -> Columns:
        """All that is in the list, for counting."""
        return _found(_own(self.shape), self.shape) if self.shape.words else _mine(self.shape)


@lru_cache(maxsize=1_000)
def _page(shape: Shape, resumes: bool) -> QuickSelect:
    """The statement of a page: nothing is left to be put together when it is sent."""
    # What is searched for decides the plan.
    return QuickSelect(_windowed(shape, resumes), lasts=not shape.words)


def _windowed(shape: Shape, resumes: bool) -> Columns:
    field = shape.order.removeprefix("-")
    after = cast(bindparam("after_key"), KINDS[field]), bindparam("after_id", type_=Uuid())
    window = Window(shape.descending, bindparam("rows", type_=Integer()), after if resumes else None)

    def cut(mine: Columns, key: ColumnElement[Any], project_id: ColumnElement[UUID]) -> Columns:
        return window.cut(keyed(mine, key, project_id), key, project_id)

    if shape.words:
        own = _own(shape)
        return cut(_found(own, shape), _key_of_found(own, field), own.c.id)
    mine = _mine(shape)
    if field == "name":
        return cut(mine, func.lower(PROJECT.name), PROJECT.id)
    if field == "created_at":
        return cut(mine, MEMBER.project_created_at, MEMBER.project_id)
    copy = MEMBER.project_updated_at  # crowded projects have none: those few are sorted by their own time
    arms = (
        cut(mine.where(copy.is_not(None)), copy, MEMBER.project_id),
        cut(mine.where(copy.is_(None)), PROJECT.updated_at, MEMBER.project_id),
    )
    merged = union_all(*(select(arm.subquery()) for arm in arms)).subquery()
    return window.cut(select(merged), merged.c.sort_key, merged.c.row_key)


def _mine(shape: Shape) -> Columns:
    """Projects of the person's that the filters leave, but for the words; the trash is its owner's alone."""
    columns = (PROJECT[name] for name in (TELLING if shape.narrow else PLAIN))
    crowd = (IN_A_CROWD,) if shape.crowd else ()
    statement = select(*columns, MEMBER.role.label("my_role"), *crowd)
    statement = statement.join_from(Project.__table__, ProjectMember.__table__)
    return statement.where(
        MEMBER.user_id == bindparam("user_id", type_=Uuid()),
        NOT_ANOTHERS_TRASH,
        PROJECT.status == any_(bindparam("status", type_=ARRAY(String()))),
        *(FILTERS[name] for name in shape.filters),
    )


def _own(shape: Shape) -> Subquery:
    """The same with names as they are searched. OFFSET keeps PostgreSQL from looking for the words in everybody's first."""
    return _mine(shape).add_columns(_folded(PROJECT.name).label("folded")).offset(0).subquery("own")


def _found(own: Subquery, shape: Shape) -> Columns:
    """Those that have each word in their name, or one that begins as it does but for a typing error."""
    statement = select(*(own.c[name] for name in (*PLAIN, "my_role")))
    for at, forgiving in enumerate(shape.words):
        word = _folded(bindparam(f"word_{at}", type_=String()))
        name: ColumnElement[str] = own.c.folded
        statement = statement.where(name.regexp_match(word) if forgiving else name.like(word))
    return statement


def _key_of_found(own: Subquery, field: str) -> ColumnElement[Any]:
    if field == RELEVANCE:
        return func.similarity(own.c.folded, _folded(bindparam("q", type_=String())))
    return func.lower(own.c.name) if field == "name" else own.c[field]
