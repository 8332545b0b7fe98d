"""A SELECT that is put together once, for what is asked in every second request.

SQLAlchemy writes the statement, binds its types and wraps the driver's errors, as it does for every other. Left out is what its
session does for each reading besides: find the statement among the compiled ones, build rows that know their columns by any
name, keep a transaction that nobody asked for.
"""

import collections
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects.postgresql import psycopg2

DIALECT = psycopg2.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it bare
Convert = Callable[[Any], Any]


class QuickSelect:
    """A statement, ready to be sent.

    Args:
        statement: of plain columns, each with a name of its own; parameters are ``bindparam``, none that expands to a list.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled: Any = statement.compile(dialect=DIALECT)
        columns = statement.selected_columns
        self._sql = str(compiled)
        self._binds: Mapping[str, Convert] = compiled._bind_processors  # noqa: SLF001 - no public name
        self._fixed = self._bound(
            {name: value for name, value in compiled.params.items() if value is not None}
        )
        self._types = [column.type for column in columns]
        self._converts: list[Convert | None] | None = None
        names = [str(column.key) for column in columns]
        self._row: Any = collections.namedtuple("Row", names)  # type: ignore[misc] # noqa: PYI024 - its fields are the statement's

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """The rows, each a named tuple.

        Args:
            connection: to the server that is asked.
            values: of the parameters.
        """
        result = connection.exec_driver_sql(self._sql, {**self._fixed, **self._bound(values)})
        cursor = result.cursor
        rows = cursor.fetchall()
        if self._converts is None:
            codes = [column[1] for column in cursor.description]
            self._converts = [_reader(kind, code) for kind, code in zip(self._types, codes, strict=True)]
        result.close()
        if any(self._converts):
            return [self._row(*map(_converted, self._converts, row)) for row in rows]
        return [self._row(*row) for row in rows]

    def one_or_none(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The only row, if there is one."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._binds[name](value) if name in self._binds else value for name, value in values.items()
        }


def _reader(kind: Any, code: Any) -> Convert | None:
    """What SQLAlchemy makes of the driver's values of a type; mostly nothing. Args: code: the driver's, of the column."""
    convert: Convert | None = kind.dialect_impl(DIALECT).result_processor(DIALECT, code)
    return convert


def _converted(convert: Convert | None, value: Any) -> Any:
    return convert(value) if convert else value
