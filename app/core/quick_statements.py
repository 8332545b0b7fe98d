"""Statements that are put together once, for what is asked or written in every second request.

SQLAlchemy writes the statement, binds its types and wraps the driver's errors, as it does for every other. Left out is what it
does for each reading besides: find the statement among the compiled ones, build rows that know their columns by any name,
keep a transaction that nobody asked for. And what its unit of work does for each row that is written: find out what changed,
in which order it goes out, and what the server made of it.
"""

import collections
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import orjson
from sqlalchemy import (
    Connection,
    Executable,
    Select,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import psycopg2

from app.core.db import Base, link_of
from app.core.prepared import Prepared, send
from app.core.round_trips import Cursor

DIALECT = psycopg2.dialect(json_serializer=lambda value: orjson.dumps(value).decode())  # type: ignore[no-untyped-call] # SQLAlchemy leaves it bare
MISSED = "not the version that was read"
Convert = Callable[[Any], Any]


class QuickStatement:
    """A statement, ready to be sent.

    Args:
        statement: its parameters are ``bindparam``, none that expands to a list; of an INSERT, its columns.
        columns: names of an INSERT's columns.
        lasts: whether one plan is as good for all values; else the server looks at them each time.
    """

    def __init__(
        self, statement: Executable, columns: Collection[str] | None = None, *, lasts: bool = True
    ) -> None:
        compiled: Any = cast("Any", statement).compile(dialect=DIALECT, column_keys=columns)
        self._sql = str(compiled)
        self._binds: Mapping[str, Convert] = compiled._bind_processors  # noqa: SLF001 - no public name
        given = {
            name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required
        }
        self._fixed = self._bound(given)
        self._prepared = Prepared(self._sql) if lasts else None

    def send(self, connection: Connection, values: Mapping[str, Any]) -> Cursor:
        """Send it now, past SQLAlchemy but with its listeners and its errors; the cursor has the answer.

        Args:
            connection: to the server.
            values: of the parameters.
        """
        cursor, bound = link_of(connection).cursor(cursor_factory=Cursor), self._with_fixed(values)
        heard = connection.dispatch
        for listener in heard.before_cursor_execute:
            listener(connection, cursor, self._sql, bound, None, False)
        try:
            send(cursor, self._sql, self._prepared, bound)
        except BaseException as error:  # noqa: BLE001 - it is raised again, by SQLAlchemy
            # No public name, and it alone wraps an error and gives up a connection that is lost or was interrupted.
            connection._handle_dbapi_exception(error, self._sql, bound, cursor, None)  # type: ignore[arg-type] # noqa: SLF001 - see above
        for listener in heard.after_cursor_execute:
            listener(connection, cursor, self._sql, bound, None, False)
        return cursor

    def later(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Send it with whatever is sent next, at the latest with COMMIT; what goes wrong with it is told there.

        What the connection has not prepared yet is sent at once.
        """
        link, prepared = link_of(connection), self._prepared
        if prepared is None or (link.prepared is not None and prepared.name not in link.prepared):
            self.send(connection, values).close()
            return
        bound = self._with_fixed(values)
        call = self._sql if link.prepared is None else prepared.call
        heard = connection.dispatch
        with link.cursor() as cursor:
            for listener in heard.before_cursor_execute:
                listener(connection, cursor, self._sql, bound, None, False)
            link.later(cursor.mogrify(call, bound))
            for listener in heard.after_cursor_execute:
                listener(connection, cursor, self._sql, bound, None, False)

    def _with_fixed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._fixed, **self._bound(values)}

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        binds = self._binds
        return {name: binds[name](value) if name in binds else value for name, value in values.items()}


class QuickSelect(QuickStatement):
    """A SELECT.

    Args:
        statement: of plain columns, each with a name of its own.
        lasts: see ``QuickStatement``.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], *, lasts: bool = True) -> None:
        super().__init__(statement, lasts=lasts)
        columns = statement.selected_columns
        names = [str(column.key) for column in columns]
        self._row: Any = collections.namedtuple("Row", names)  # type: ignore[misc] # noqa: PYI024 - its fields are the statement's
        self._types = [column.type for column in columns]
        self._converts: list[Convert | None] | None = None

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """The rows, each a named tuple."""
        cursor = self.send(connection, values)
        rows = cursor.fetchall()
        if self._converts is None:
            codes = [column[1] for column in cursor.description or ()]
            self._converts = [_reader(kind, code) for kind, code in zip(self._types, codes, strict=True)]
        cursor.close()
        if any(self._converts):
            return [self._row(*map(_converted, self._converts, row)) for row in rows]
        return [self._row(*row) for row in rows]

    def one_or_none(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The only row, if there is one."""
        rows = self.all(connection, values)
        return rows[0] if rows else None


class QuickInsert(QuickStatement):
    """An INSERT of one row; what the server fills in is not asked for.

    Args:
        table: of the mapped class.
        columns: those that are given.
    """

    def __init__(self, model: type[Base], columns: Collection[str]) -> None:
        super().__init__(insert(model.__table__).inline(), tuple(columns))  # type: ignore[arg-type] # a mapped class has a table


class QuickUpdate(QuickStatement):
    """An UPDATE of one row that is to have a version, and gets the next one.

    The driver tells what the last statement of a message met, so this one fails by itself where it does not meet its row: by
    words that are no number, which ``translate`` knows.

    Args:
        model: with a ``version``, and the primary key ``id``.
        columns: those that change.
    """

    def __init__(self, model: type[Base], columns: Collection[str]) -> None:
        table: Any = model.__table__
        given = {name: bindparam(name, type_=table.c[name].type) for name in columns}
        key, version = (
            bindparam("id_", type_=table.c.id.type),
            bindparam("version_", type_=table.c.version.type),
        )
        changed = (
            update(table)
            .where(table.c.id == key, table.c.version == version)
            .values(**given, version=table.c.version + 1)
            .returning(table.c.version)
            .cte("changed")
        )
        # The cast is outside: one inside CASE would be made, and fail, while the statement is planned.
        met: Any = literal_column(f"CAST(CASE count(*) WHEN 1 THEN '1' ELSE '{MISSED}' END AS integer)")
        super().__init__(select(met).select_from(changed))


def _reader(kind: Any, code: Any) -> Convert | None:
    """What SQLAlchemy makes of the driver's values of a type; mostly nothing. Args: code: the driver's, of the column."""
    convert: Convert | None = kind.dialect_impl(DIALECT).result_processor(DIALECT, code)
    return convert


def _converted(convert: Convert | None, value: Any) -> Any:
    return convert(value) if convert else value
