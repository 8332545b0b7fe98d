"""PostgreSQL: whether it can be reached, as whom, and how it is set up."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import errors

from app.cli.checks import accounts, queue, schema
from app.cli.checks.finding import Finding, bad, fault, ok, warn
from app.cli.checks.look import Look, connect
from app.config import Settings
from app.core.clock import Clock, from_timestamp

OLDEST_SUPPORTED = 150_000
SPARE_CONNECTIONS = 5
"""For the worker, migrations and a person with psql (REL-04)."""
CLOCK_WARN, CLOCK_FAULT = 2.0, 30.0
"""Seconds between two clocks: noticeable, and more than a token's leeway."""


def look(settings: Settings) -> Iterator[Finding]:
    """Findings about the database, its schema, its rows and the job queue, over one connection."""
    started = time.monotonic()
    try:
        link = connect(settings)
    except psycopg.Error as error:
        yield _away(error)
        return
    with link:
        yield from _reached(link, (time.monotonic() - started) * 1000)
        place = Look(link, settings)
        for check in CHECKS:
            yield from _guarded(check, place)


def _guarded(check: Callable[[Look], Iterator[Finding]], place: Look) -> list[Finding]:
    """What one check finds; one that cannot be made does not keep the others from being made."""
    try:
        return list(check(place))
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction):
        return []  # "migrations" tells it
    except errors.InsufficientPrivilege:
        return []  # "grants" tells it
    except psycopg.Error as error:
        about = check.__name__.strip("_").replace("_", " ")
        return [
            warn(
                about, f"could not be looked at: {_words(error)}", "try again when the database is less busy"
            )
        ]


def _away(error: psycopg.Error) -> Finding:
    words = _words(error)
    if "password authentication failed" in words or "no password supplied" in words:
        mend = "put the role's right password into DATABASE_URL"
    elif "does not exist" in words:
        mend = "create it, or correct DATABASE_URL; docs/operations.md has the statements"
    elif "too many" in words or "remaining connection slots" in words:
        mend = "raise max_connections, or lower WORKERS, DB_POOL_SIZE or DB_MAX_OVERFLOW"
    else:
        mend = "start PostgreSQL, or correct host and port in DATABASE_URL; nothing in it could be looked at"
    return fault("database", f"cannot be used: {words}", mend)


def _words(error: psycopg.Error) -> str:
    """The first line of what the driver says, without the address that libpq puts before it."""
    line = str(error).strip().partition("\n")[0]
    return line.rpartition("failed: ")[2].removeprefix("FATAL:").strip() or type(error).__name__


def _reached(link: psycopg.Connection[Any], milliseconds: float) -> Iterator[Finding]:
    info = link.info
    where = f"{info.host or 'a socket'}:{info.port}/{info.dbname}"
    version = f"{info.server_version // 10_000}.{info.server_version % 10_000}"
    if info.server_version < OLDEST_SUPPORTED:
        yield fault(
            "database", f"PostgreSQL {version} on {where} is too old", "PostgreSQL 15 or later is needed"
        )
        return
    secured = ", by TLS" if info.pgconn.ssl_in_use else ""
    yield ok("database", f"PostgreSQL {version} on {where}, connected in {milliseconds:.0f} ms{secured}")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        yield fault(
            "database",
            f"its encoding is {encoding}",
            "create the database with ENCODING 'UTF8' and move the data",
        )


def _role(place: Look) -> Iterator[Finding]:
    """Reads and writes rows, owns nothing (SEC-58)."""
    row = place.row(
        "SELECT current_user, rolsuper, rolcreatedb OR rolcreaterole OR rolbypassrls,"
        " EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        "         AND pg_has_role(relowner, 'USAGE')),"
        " EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE'))"
        " FROM pg_roles WHERE rolname = current_user"
    )
    name, superuser, powerful, owns_tables, owns_database = row
    mend = (
        "make a second role that only reads and writes rows, name it in DATABASE_URL and the owner in "
        "MIGRATION_DATABASE_URL, then run `flask db upgrade`, which grants the rights"
    )
    production = place.settings.production
    if superuser:
        yield bad("role", f"{name} is a superuser: no right holds it back", mend, production=production)
    elif owns_tables or owns_database:
        yield bad(
            "role",
            f"{name} owns the {'tables' if owns_tables else 'database'}: it could change the schema and the audit trail",
            mend,
            production=production,
        )
    elif powerful:
        yield bad(
            "role",
            f"{name} may make databases or roles, or pass by row security",
            f"ALTER ROLE {name} NOCREATEDB NOCREATEROLE NOBYPASSRLS",
            production=production,
        )
    else:
        yield ok("role", f"{name}: no superuser, owns nothing")


def _connections(place: Look) -> Iterator[Finding]:
    """REL-04: what all processes may open at once must fit."""
    own = place.settings
    row = place.row(
        "SELECT current_setting('max_connections')::int,"
        " current_setting('superuser_reserved_connections')::int"
        " + coalesce(current_setting('reserved_connections', true)::int, 0),"
        " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),"
        " (SELECT datconnlimit FROM pg_database WHERE datname = current_database())"
    )
    most, reserved, *limits = row
    room = min([most - reserved, *(limit for limit in limits if limit >= 0)])
    each = own.pool_size + own.db_max_overflow
    wanted = own.workers * each + SPARE_CONNECTIONS
    sum_ = (
        f"{own.workers} workers x ({own.pool_size} + {own.db_max_overflow}) + {SPARE_CONNECTIONS} = {wanted}"
    )
    if wanted > room:
        fitting = max(1, (room - SPARE_CONNECTIONS) // each)
        yield fault(
            "connections",
            f"{sum_}, but only {room} are to be had (max_connections {most}, {reserved} reserved): under load requests fail",
            f"raise max_connections to {wanted + reserved} or more, or set WORKERS={fitting}",
        )
    else:
        hosts = (room - SPARE_CONNECTIONS) // (own.workers * each)
        yield ok("connections", f"{sum_} of {room}; enough for {hosts} such host{'s' if hosts != 1 else ''}")


def _durability(place: Look) -> Iterator[Finding]:
    """REL-01: a 2xx to a write means that it survives a crash."""
    found = {name: place.value("SELECT current_setting(%s)", name) for name in DURABLE}
    off = [name for name in DURABLE if found[name] == "off"]
    if off:
        yield bad(
            "durability",
            f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} off: a crash may lose writes that were answered",
            "switch on: "
            + ", ".join(f"ALTER SYSTEM SET {name} = on" for name in off)
            + "; then SELECT pg_reload_conf()",
            production=place.settings.production,
        )
    else:
        yield ok(
            "durability", f"synchronous_commit is {found['synchronous_commit']}: what was answered is on disk"
        )


DURABLE = ("synchronous_commit", "fsync", "full_page_writes")


def _clock(place: Look) -> Iterator[Finding]:
    """Whether the host and the database agree on the time, and whether the test clock is at rest."""
    real = Clock()
    before = real.timestamp()
    server = float(place.value("SELECT extract(epoch FROM clock_timestamp())"))
    apart = server - (before + real.timestamp()) / 2
    if abs(apart) > CLOCK_WARN:
        words = f"this host and PostgreSQL are {abs(apart):.1f} s apart ({from_timestamp(server):%H:%M:%S} UTC there)"
        mend = "keep both by NTP; `timedatectl` shows whether it runs"
        yield fault("clock", words, mend) if abs(apart) > CLOCK_FAULT else warn("clock", words, mend)
    else:
        yield ok("clock", f"this host and PostgreSQL agree within {max(abs(apart), 0.001):.3f} s")
    offset = place.value("SELECT clock_offset_seconds FROM system_state")
    if offset and place.settings.production:
        yield warn(
            "clock",
            f"a test clock of {offset} s lies in this database; production does not look at it",
            AT_REST,
        )
    elif offset:
        yield warn("clock", f"the test clock is {offset} s ahead of the time", AT_REST)


AT_REST = 'POST /dev/clock {"advance_seconds": 0} on a development server puts it back'

CHECKS: tuple[Callable[[Look], Iterator[Finding]], ...] = (
    _role, schema.migrations, schema.extension, schema.letters, schema.indexes, schema.triggers, schema.grants, _connections, _durability, _clock,
    queue.worker, queue.jobs, accounts.peppers, accounts.strangers,
)  # fmt: skip
