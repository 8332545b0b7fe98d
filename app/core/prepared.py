"""Statements that the server parses and plans once for each connection, and then only runs.

psycopg2 sends text alone, in which PostgreSQL finds its way anew each time; for a page of a list that takes it longer than the
reading. Whoever listens to statements (the log's counters, tests) is told the text.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import psycopg2

from app.core.round_trips import IDLE, NOT_AS_PREPARED, Cursor

MOST_KNOWN = 100
PARAMETER = re.compile(r"%\((\w+)\)s|%%")


class Prepared:
    """A statement under a name.

    Args:
        sql: with parameters as psycopg2 writes them, ``%(name)s``.

    Attributes:
        name: on the server, made of the text.
        definition: PREPARE.
        call: EXECUTE, with the same parameters.
    """

    def __init__(self, sql: str) -> None:
        self.name = f"hf_{hashlib.blake2b(sql.encode(), digest_size=10).hexdigest()}"
        names: list[str] = []

        def numbered(found: re.Match[str]) -> str:
            if found[1] is None:
                return "%"
            if found[1] not in names:
                names.append(found[1])
            return f"${names.index(found[1]) + 1}"

        self.definition = f"PREPARE {self.name} AS {PARAMETER.sub(numbered, sql)}"
        given = ", ".join(f"%({name})s" for name in names)
        self.call = f"EXECUTE {self.name}" + (f" ({given})" if names else "")


def send(cursor: Cursor, sql: str, prepared: Prepared | None, parameters: Mapping[str, Any]) -> None:
    """Send a statement: by its name where the connection has it prepared, which it has from the first time on.

    A connection that does not keep them prepares nothing more. The error ends a transaction; ``translate`` then makes a
    conflict of it, and the use case runs once more.
    """
    link = cursor.connection
    known = link.prepared
    if prepared is None or known is None or (prepared.name not in known and len(known) >= MOST_KNOWN):
        cursor.execute(sql, parameters)
        return
    try:
        if prepared.name not in known:
            cursor.execute(prepared.definition)
            known.add(prepared.name)
        cursor.execute(prepared.call, parameters)
    except psycopg2.Error as error:
        if error.pgcode not in NOT_AS_PREPARED or link.get_transaction_status() != IDLE:
            raise
        cursor.execute(sql, parameters)
