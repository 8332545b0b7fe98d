"""Databases and the two roles that use one: the owner migrates, the other reads and writes rows and owns nothing."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from dev.faults import Fault


@dataclass(frozen=True)
class Role:
    """A role that may sign in, and its password."""

    name: str
    password: str

    def url(self, server_url: str, database: str) -> str:
        """The server's URL with this role and this database in it."""
        parts = urlsplit(server_url)
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(
            (
                "postgresql",
                f"{quote(self.name)}:{quote(self.password)}@{place}",
                f"/{quote(database)}",
                parts.query,
                "",
            )
        )


@dataclass(frozen=True)
class Roles:
    """The owner of a database and the role of the running service."""

    owner: Role
    app: Role


def plain_url(url: str) -> str:
    """The URL without SQLAlchemy's driver name, as libpq wants it."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


@contextlib.contextmanager
def statements(url: str) -> Iterator[Any]:
    """A cursor in autocommit.

    Raises:
        Fault: when the server cannot be reached or refuses; the URL's password is not told.
    """
    parts = urlsplit(url)
    where = f"{parts.hostname or 'local socket'}:{parts.port or 5432}{parts.path}"
    try:
        connection = psycopg2.connect(plain_url(url), connect_timeout=10)
    except psycopg2.OperationalError as error:
        # libpq's first line repeats the address; what follows its last "failed: " is the reason.
        reason = str(error).strip().partition("\n")[0].rpartition("failed: ")[2] or "no reason given"
        raise Fault(f"the database at {where} cannot be used: {reason.strip()}") from None
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def require_admin(admin_url: str) -> None:
    """Refuse a role that may not create databases and roles.

    Raises:
        Fault: one line that says which right is missing and how to give it.
    """
    with statements(admin_url) as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolcreatedb, rolsuper OR rolcreaterole "
            "FROM pg_roles WHERE rolname = current_user"
        )
        name, may_databases, may_roles = cursor.fetchone()
    missing = [word for word, may in (("CREATEDB", may_databases), ("CREATEROLE", may_roles)) if not may]
    if missing:
        raise Fault(
            f"DATABASE_URL: the tests make databases and roles of their own, and role {name} may not. "
            f"As an administrator: ALTER ROLE {name} {' '.join(missing)};"
        )


def new_roles(prefix: str = "holdfast") -> Roles:
    """Names and passwords for a pair that does not exist yet; a random part keeps runs on one server apart."""
    mark = secrets.token_hex(4)
    return Roles(
        Role(f"{prefix}_owner_{mark}", secrets.token_urlsafe(24)),
        Role(f"{prefix}_app_{mark}", secrets.token_urlsafe(24)),
    )


def ensure_roles(admin_url: str, roles: Roles) -> None:
    """Make both roles, or give them these passwords; neither is a superuser or may make roles or databases."""
    with statements(admin_url) as cursor:
        for role in (roles.owner, roles.app):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role.name,))
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            cursor.execute(
                sql.SQL("{} ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                    verb, sql.Identifier(role.name), sql.Literal(role.password)
                )
            )
        # An administrator who is no superuser must belong to the owner to make databases for it.
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(roles.owner.name)))


def ensure_database(admin_url: str, name: str, roles: Roles, *, template: str | None = None) -> None:
    """Make a database of the owner that the app role may enter, unless it is there.

    Args:
        admin_url: a role that may make databases.
        name: the database.
        roles: its owner and its user.
        template: an existing database to copy, with nobody connected to it.
    """
    with statements(admin_url) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if not cursor.fetchone():
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING 'UTF8'").format(
                    sql.Identifier(name),
                    sql.Identifier(roles.owner.name),
                    sql.Identifier(template or "template0"),
                )
            )
        database, app = sql.Identifier(name), sql.Identifier(roles.app.name)
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, app))


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database and end whoever is connected to it."""
    with statements(admin_url) as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_roles(admin_url: str, roles: Roles) -> None:
    """Drop both roles; their databases must be gone."""
    with statements(admin_url) as cursor:
        for role in (roles.owner, roles.app):
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role.name)))
