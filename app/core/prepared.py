"""Statements that the server parses and plans once for each connection, and then only runs.

psycopg2 sends text alone, in which PostgreSQL finds its way anew each time; for a page of a list that takes it longer than the
reading. SQLAlchemy's ``do_execute`` is where the one is sent in place of the other, so that whoever listens to statements (the log's
counters, tests) sees the text.
"""

import hashlib
import re
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from app.core.round_trips import IDLE, NOT_AS_PREPARED, Link

OPTION = "holdfast_prepared"
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


def send_prepared(engine: Engine) -> None:
    """Have an engine prepare the statements that carry ``OPTION``, and send their names from then on.

    A connection that does not keep them prepares nothing more. The error ends a transaction; ``translate`` then makes a
    conflict of it, and the use case runs once more.
    """

    @event.listens_for(engine, "do_execute")
    def send(cursor: Any, _statement: str, parameters: Any, context: Any) -> bool | None:
        prepared: Prepared | None = context.execution_options.get(OPTION)
        if prepared is None:
            return None
        link: Link = cursor.connection
        known = link.prepared
        if known is None or (prepared.name not in known and len(known) >= MOST_KNOWN):
            return None
        try:
            if prepared.name not in known:
                cursor.execute(prepared.definition)
                known.add(prepared.name)
            cursor.execute(prepared.call, parameters)
        except psycopg2.Error as error:
            if error.pgcode not in NOT_AS_PREPARED or link.get_transaction_status() != IDLE:
                raise
            return None
        return True
