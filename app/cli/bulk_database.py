"""The SQL of a bulk load. It speaks to the server by psycopg 3, whose COPY takes text as it comes."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from app.cli.bulk_rows import DOMAIN, Tables, address

LOCK = 7_305_806_482_211_114_104
"""Any fixed number: one load at a time in a database."""
LOADED_TABLES = ("users", "projects", "project_members", "events")
Link = psycopg.Connection[Any]


@dataclass(frozen=True)
class FoundAccounts:
    """Accounts that an earlier load made: how many, when the first, the hash of their password."""

    number: int
    began: datetime
    password_hash: str


@contextmanager
def link(url: str) -> Iterator[Link]:
    """A connection in autocommit, closed at the end.

    Raises:
        psycopg.Error: it cannot be had.
    """
    plain = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    with psycopg.connect(
        plain, autocommit=True, connect_timeout=5, application_name="holdfast-seed"
    ) as connection:
        yield connection


@contextmanager
def lock(on: Link) -> Iterator[bool]:
    """Hold the load's lock, which also goes with the connection; whether nobody else has it."""
    mine = bool(_one(on, "SELECT pg_try_advisory_lock(%s)", LOCK))
    try:
        yield mine
    finally:
        if mine:
            # Closing would do it too, but only some time after we are gone.
            on.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def copy(on: Link, tables: Tables) -> None:
    """Write lines in COPY's text format into the tables, on the transaction that is open."""
    for target, lines in tables.items():
        # The target is one of the constants of bulk_rows, never anybody's input.
        with on.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN".encode()) as writer:
            writer.write(lines)


def found_accounts(on: Link) -> FoundAccounts | None:
    first = on.execute(
        "SELECT created_at, coalesce(password_hash, '') FROM users WHERE email_key = %s", [address(1)]
    ).fetchone()
    if first is None:
        return None
    number = _one(on, "SELECT count(*) FROM users WHERE split_part(email_key, '@', 2) = %s", DOMAIN)
    return FoundAccounts(number, first[0].astimezone(UTC), first[1])


def present(on: Link, projects: Collection[UUID]) -> set[UUID]:
    """Which of these projects are there."""
    rows = on.execute("SELECT id FROM projects WHERE id = ANY(%s)", [list(projects)])
    return {row[0] for row in rows}


def owns_projects(on: Link, email: str) -> bool:
    query = "SELECT EXISTS (SELECT FROM projects p JOIN users u ON u.id = p.owner_id WHERE u.email_key = %s)"
    return bool(_one(on, query, email))


def owns_tables(on: Link) -> bool:
    """Whether this role may renew the statistics."""
    query = "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class WHERE oid = ANY(%s::regclass[])"
    return bool(_one(on, query, list(LOADED_TABLES)))


def _one(on: Link, query: str, *values: Any) -> Any:
    row = on.execute(query.encode(), values).fetchone()
    return row[0] if row else None
