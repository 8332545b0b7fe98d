"""Keyset pages with signed cursors.

A cursor holds the sort key and id of the last item of a page, sealed together with the query that made it (operation, caller,
filters, sort). So a cursor cannot be forged, nor carried to another query or person, nor does it tell what it holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.keys import KeyRing, b64, unb64
from app.core.quick_statements import QuickSelect
from app.core.uow import UnitOfWork

Item = TypeVar("Item")
Rows = TypeVar("Rows", bound=Select[*tuple[Any, ...]])
TAG_BYTES = 16
TOTAL_CAP = 10_000


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list; ``total`` only when it was asked for."""

    items: list[Item]
    next_cursor: str | None
    has_more: bool
    total: int | None = None
    total_capped: bool | None = None


@dataclass(frozen=True)
class PageRequest:
    """What the client asked for: how many, after which cursor, and whether to count."""

    limit: int = 20
    cursor: str | None = None
    include_total: bool = False


@dataclass(frozen=True)
class Sort:
    """An order of a list; the id always breaks ties, in the same direction.

    Args:
        expression: what is sorted by.
        descending: direction of both keys.
        revive: makes a bound value from what the cursor holds.
    """

    expression: SQLColumnExpression[Any]
    descending: bool
    revive: Callable[[Any], Any] = str


@dataclass(frozen=True)
class Window:
    """Which rows of an ordered list a page is made of: so many after a place.

    Attributes:
        descending: direction of both keys.
        rows: how many.
        after: sort key and id of the last item of the page before.
    """

    descending: bool
    rows: int | ColumnElement[int]
    after: tuple[Any, Any] | None = None

    def cut(
        self, statement: Rows, expression: SQLColumnExpression[Any], key: SQLColumnExpression[UUID]
    ) -> Rows:
        """The statement's rows in this window, in order."""
        if self.after is not None:
            here, there = tuple_(expression, key), tuple_(*self.after)
            statement = statement.where(here < there if self.descending else here > there)
        order = (each.desc() if self.descending else each.asc() for each in (expression, key))
        return statement.order_by(*order).limit(self.rows)


class Cursors:
    """Makes and reads cursors.

    Args:
        ring: keys of the purpose ``cursor``.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def encode(self, scope: bytes, position: list[Any]) -> str:
        """Args: scope: what the cursor is bound to. position: JSON values, ISO text for times."""
        return self.seal(scope, orjson.dumps(position))

    def decode(self, scope: bytes, cursor: str) -> list[Any]:
        """The position.

        Raises:
            AppError: ``invalid_cursor`` for a forged cursor or one of another query.
        """
        position: list[Any] = orjson.loads(self.open(scope, cursor))
        return position

    def seal(self, scope: bytes, payload: bytes) -> str:
        """A cursor of any bytes, which nobody else can read or make.

        By AES-SIV (RFC 5297), which needs no number used once: the same place is the same cursor.
        """
        key_id, key = self._ring.current
        return f"{key_id}.{b64(AESSIV(key).encrypt(payload, [scope]))}"

    def open(self, scope: bytes, cursor: str, parameter: str = "cursor") -> bytes:
        """The reverse of ``seal``.

        Args:
            parameter: under which name it was sent.

        Raises:
            AppError: ``invalid_cursor``.
        """
        key_id, _, body = cursor.partition(".")
        key = self._ring.get(key_id)
        if key is None:
            raise _invalid_cursor(parameter)
        try:
            return AESSIV(key).decrypt(unb64(body), [scope])
        except (ValueError, InvalidTag):
            raise _invalid_cursor(parameter) from None


def _invalid_cursor(parameter: str) -> AppError:
    detail = "The cursor was not made by this list with these filters."
    fault = FieldFault(parameter, FieldCode.invalid_format, detail, "query")
    return AppError(Code.invalid_cursor, detail, fields=[fault])


def query_scope(*parts: Any) -> bytes:
    """Bytes that name a query: the operation, the caller, filters and sort, not the page size."""
    return orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)


class Prepared(Protocol):
    """A list whose statements are put together once and kept.

    Attributes:
        values: what its statements are given, besides ``rows``, ``after_key`` and ``after_id``.
    """

    @property
    def values(self) -> Mapping[str, Any]: ...

    def page(self, *, resumes: bool) -> QuickSelect:
        """The statement of a page, the first or one after a place; its last columns are ``sort_key`` and ``row_key``."""
        ...

    def all(self) -> Select[*tuple[Any, ...]]:
        """All rows, for counting."""
        ...

    def revive(self, key: Any, /) -> Any:
        """A bound value from what the cursor holds."""
        ...


def page_of(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    *,
    sort: Sort,
    key: SQLColumnExpression[UUID],
    cursors: Cursors,
    scope: bytes,
    request: PageRequest,
    make: Callable[[Any], Item],
) -> Page[Item]:
    """Run a list statement for one page; asks for one row more to know whether another page follows.

    Args:
        session: of the current unit of work.
        statement: filtered, not ordered.
        sort: the order.
        key: the id column that breaks ties.
        cursors: makes and reads cursors.
        scope: what names this query, see ``query_scope``.
        request: what the client asked for.
        make: turns a row of the statement into an item.

    Raises:
        AppError: ``invalid_cursor``.
    """
    after = _after(cursors, scope, request, sort.revive)
    window = Window(sort.descending, request.limit + 1, after)
    rows = session.execute(window.cut(keyed(statement, sort.expression, key), sort.expression, key)).all()
    counted = _count(session, statement) if request.include_total else (None, None)
    return _paged(rows, counted, cursors, scope, request, make)


def page_of_prepared(
    uow: UnitOfWork,
    listed: Prepared,
    *,
    cursors: Cursors,
    scope: bytes,
    request: PageRequest,
    make: Callable[[Any], Item],
) -> Page[Item]:
    """As ``page_of``, for a list that is asked for often."""
    after = _after(cursors, scope, request, listed.revive)
    place = {"after_key": after[0], "after_id": after[1]} if after else {}
    values = {**listed.values, "rows": request.limit + 1, **place}
    rows = listed.page(resumes=after is not None).all(uow.connection, values)
    counted = _count(uow.session, listed.all(), listed.values) if request.include_total else (None, None)
    return _paged(rows, counted, cursors, scope, request, make)


def _after(
    cursors: Cursors, scope: bytes, request: PageRequest, revive: Callable[[Any], Any]
) -> tuple[Any, UUID] | None:
    """Where the page begins."""
    if not request.cursor:
        return None
    value, last = cursors.decode(scope, request.cursor)
    return revive(value), UUID(last)


def _paged(
    rows: Sequence[Any],
    counted: tuple[int | None, bool | None],
    cursors: Cursors,
    scope: bytes,
    request: PageRequest,
    make: Callable[[Any], Item],
) -> Page[Item]:
    shown = rows[: request.limit]
    more = len(rows) > request.limit
    next_cursor = (
        cursors.encode(scope, [_plain(shown[-1].sort_key), str(shown[-1].row_key)]) if more else None
    )
    return Page([make(row) for row in shown], next_cursor, more, *counted)


def keyed(
    statement: Select[*tuple[Any, ...]], expression: SQLColumnExpression[Any], key: SQLColumnExpression[UUID]
) -> Select[*tuple[Any, ...]]:
    """The statement with what a cursor is made of."""
    return statement.add_columns(expression.label("sort_key"), key.label("row_key"))


def _count(
    session: Session, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any] | None = None
) -> tuple[int, bool]:
    limited = select(func.count()).select_from(statement.limit(TOTAL_CAP + 1).subquery())
    counted = session.scalar(limited, values) or 0
    return min(counted, TOTAL_CAP), counted > TOTAL_CAP


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
