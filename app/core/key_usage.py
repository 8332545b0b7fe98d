"""Which keys of the rings stored rows still need, so that one knows when a key can be retired (SEC-24, SEC-59).

The tables say it themselves: a column ``key_id`` names a key of SECRET_KEYS, a column ``password_hash`` begins with
scheme and pepper. A new table with one of these joins without a line here.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from app.core.db import Base
from app.core.uow import UnitOfWork

SECRET_KEYS, PASSWORD_PEPPERS, SIGNING_KEYS = "SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS"
UNREADABLE = "?"
"""What stands for the key of a hash that names none."""


@dataclass(frozen=True)
class Use:
    """So many rows of a table need this key of a ring."""

    ring: str
    key_id: str
    table: str
    rows: int


class KeyUsage:
    """Counts rows by key; reads whole tables, so it is for commands and not for requests."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def of(self, *rings: str) -> list[Use]:
        """What needs the keys of these rings, by ring, key and table."""
        found = [
            Use(ring, key_id, table, rows)
            for ring, table, key in _sources()
            if ring in rings
            for key_id, rows in self._counted(key)
        ]
        return sorted(found, key=lambda use: (use.ring, use.key_id, use.table))

    def _counted(self, key: ColumnElement[str]) -> list[tuple[str, int]]:
        with self._uow.reading():
            session = self._uow.session
            rows = session.execute(select(key, func.count()).where(key.is_not(None)).group_by(key))
            return [(row[0] or UNREADABLE, row[1]) for row in rows]


def _sources() -> list[tuple[str, str, ColumnElement[str]]]:
    """Ring, table, and the expression that names the key in it."""
    found: list[tuple[str, str, ColumnElement[str]]] = []
    for table in Base.metadata.sorted_tables:
        if "key_id" in table.c:
            found.append((SECRET_KEYS, table.name, table.c.key_id))
        if "password_hash" in table.c:
            # The stored form is scheme$pepper$hash (SEC-03).
            found.append((PASSWORD_PEPPERS, table.name, func.split_part(table.c.password_hash, "$", 2)))
    return found
