"""Keyset pages with signed cursors.

A cursor holds the sort key and id of the last item of a page, and a MAC over them and over the query that made it
(operation, caller, filters, sort). So a cursor cannot be forged, nor carried to another query or person.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Select, SQLColumnExpression, func, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.keys import KeyRing, b64, mac, unb64

Item = TypeVar("Item")
MAC_BYTES = 16
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
        """A cursor of any bytes; they are signed, not hidden."""
        key_id, key = self._ring.current
        return f"{key_id}.{b64(mac(key, scope, payload, size=MAC_BYTES) + payload)}"

    def open(self, scope: bytes, cursor: str, parameter: str = "cursor") -> bytes:
        """The reverse of ``seal``.

        Args:
            parameter: under which name it was sent.

        Raises:
            AppError: ``invalid_cursor``.
        """
        key_id, _, body = cursor.partition(".")
        key = self._ring.get(key_id)
        try:
            data = unb64(body)
        except ValueError:
            data = b""
        payload = data[MAC_BYTES:]
        if key is None or not hmac.compare_digest(mac(key, scope, payload, size=MAC_BYTES), data[:MAC_BYTES]):
            raise _invalid_cursor(parameter)
        return payload


def _invalid_cursor(parameter: str) -> AppError:
    detail = "The cursor was not made by this list with these filters."
    fault = FieldFault(parameter, FieldCode.invalid_format, detail, "query")
    return AppError(Code.invalid_cursor, detail, fields=[fault])


def query_scope(*parts: Any) -> bytes:
    """Bytes that name a query: the operation, the caller, filters and sort, not the page size."""
    return orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)


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
    total, capped = _count(session, statement) if request.include_total else (None, None)
    rows_wanted = statement.add_columns(sort.expression.label("sort_key"), key.label("row_key"))
    if request.cursor:
        value, last = cursors.decode(scope, request.cursor)
        here = tuple_(sort.expression, key)
        there = tuple_(sort.revive(value), UUID(last))
        rows_wanted = rows_wanted.where(here < there if sort.descending else here > there)
    order = (sort.expression.desc(), key.desc()) if sort.descending else (sort.expression.asc(), key.asc())
    rows = session.execute(rows_wanted.order_by(*order).limit(request.limit + 1)).all()
    shown = rows[: request.limit]
    more = len(rows) > request.limit
    next_cursor = (
        cursors.encode(scope, [_plain(shown[-1].sort_key), str(shown[-1].row_key)]) if more else None
    )
    return Page([make(row) for row in shown], next_cursor, more, total, capped)


def _count(session: Session, statement: Select[Any]) -> tuple[int, bool]:
    counted = session.scalar(select(func.count()).select_from(statement.limit(TOTAL_CAP + 1).subquery())) or 0
    return min(counted, TOTAL_CAP), counted > TOTAL_CAP


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
