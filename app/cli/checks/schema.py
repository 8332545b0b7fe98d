"""The schema: at the code's revision, whole, and with the rights that the service's role needs and no others."""

from collections.abc import Iterator

from app.cli.checks.finding import Finding, bad, fault, ok, warn
from app.cli.checks.look import Look
from app.core.indexes import index_statements
from app.core.schema import expected_revision

UPGRADE = "run `flask db upgrade`"
ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
SPECIAL = {
    "audit_events": {"SELECT", "INSERT"},
    "system_state": {"SELECT", "UPDATE"},
    "access_changes": {"SELECT", "DELETE"},
    "alembic_version": {"SELECT"},
}
"""Tables of which the service's role may not do everything; as `flask db upgrade` grants it (SEC-58)."""
NOTED = ("api_tokens", "sessions", "system_state", "users")
"""Tables that decide who a caller is (docs/decisions/0042-access-that-is-remembered.md)."""
RIGHTS = (
    "SELECT c.relname, array_agg(r.name) FILTER (WHERE has_table_privilege(c.oid, r.name))"
    " FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS r(name)"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') GROUP BY c.relname ORDER BY c.relname"
)
PURGE = "purge_audit_events(timestamptz)"


def migrations(place: Look) -> Iterator[Finding]:
    """The revision of the database is the newest that this code has."""
    wanted = expected_revision()
    if place.value("SELECT to_regclass('public.alembic_version')") is None:
        yield fault("migrations", "the database is empty", UPGRADE)
        return
    found = place.value("SELECT version_num FROM alembic_version")
    if found == wanted:
        yield ok("migrations", f"at {found}, which is the newest")
    elif found is not None and found > (wanted or ""):
        yield fault(
            "migrations",
            f"the schema is at {found}, newer than this code ({wanted})",
            "deploy the newer code",
        )
    else:
        yield fault("migrations", f"the schema is at {found or 'nothing'}, this code needs {wanted}", UPGRADE)


def extension(place: Look) -> Iterator[Finding]:
    version = place.value("SELECT extversion FROM pg_extension WHERE extname = 'pg_trgm'")
    if version is None:
        mend = "as an administrator, in this database: CREATE EXTENSION pg_trgm"
        yield fault("pg_trgm", "the extension is missing: projects cannot be searched by name", mend)
    else:
        yield ok("pg_trgm", f"version {version}")


def letters(place: Look) -> Iterator[Finding]:
    """The database knows letters beyond ASCII: searching and sorting by name fold their case."""
    if place.value("SELECT lower('Ä') = 'ä' AND 'д' ~ '^\\w$'"):
        yield ok("letters", "of all languages are told apart from signs, and their case is known")
    else:
        kind = place.value("SELECT datctype FROM pg_database WHERE datname = current_database()")
        yield warn(
            "letters",
            f"the database has the character type {kind}: searches take 'Ä' and 'ä' for two letters",
            "dump it, make it anew with LC_CTYPE 'C.UTF-8' or any other of UTF-8, restore it",
        )


def indexes(place: Look) -> Iterator[Finding]:
    """Every index of the models is there and valid: one that is not makes nothing fail, but all of it slow."""
    if place.value("SELECT to_regclass('public.projects')") is None:
        return
    found = dict(
        place.rows(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relnamespace = 'public'::regnamespace"
        )
    )
    faulty = [(name, how) for name, how in index_statements().items() if not found.get(name)]
    for name, statement in faulty:
        again = statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        drop = f"DROP INDEX {name}; " if name in found else ""
        state = "is not valid (its building was interrupted)" if name in found else "is missing"
        yield warn("indexes", f"{name} {state}", f"as the owner: {drop}{again}")
    if not faulty:
        yield ok("indexes", f"all {len(index_statements())} are there")


def triggers(place: Look) -> Iterator[Finding]:
    """None is switched off: by them processes hear of sessions that ended, lists are in order and objects are removed."""
    found = place.rows(
        "SELECT t.tgname, c.relname, t.tgenabled IN ('D', 'R') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    if not found:
        return
    there = {(trigger, table) for trigger, table, _is_off in found}
    missing = sorted({("note_access_change", table) for table in NOTED} - there)
    for trigger, table in missing:
        yield fault(
            "triggers",
            f"{trigger} of {table} is missing: processes do not hear of sessions that end",
            "make it again as the owner; migrations/versions/0018_access_changes.py has the statement",
        )
    off = [(trigger, table) for trigger, table, is_off in found if is_off]
    for trigger, table in off:
        yield fault(
            "triggers",
            f"{trigger} of {table} is switched off: what it would have done was not, and is not made up for",
            f"as the owner: ALTER TABLE {table} ENABLE TRIGGER {trigger}; then restart the service",
        )
    if not off and not missing:
        yield ok("triggers", f"all {len(found)} are on")


def grants(place: Look) -> Iterator[Finding]:
    """Rows yes, the audit trail only forwards (SEC-58)."""
    tables = {name: set(rights or ()) for name, rights in place.rows(RIGHTS)}
    if "projects" not in tables:
        return
    missing, excess = [], []
    for name, rights in tables.items():
        wanted = SPECIAL.get(name, ROWS)
        if wanted - rights:
            missing.append(f"{', '.join(sorted(wanted - rights))} on {name}")
        if name in SPECIAL and rights - wanted:
            excess.append(f"{', '.join(sorted(rights - wanted))} on {name}")
    missing += [f"USAGE on {name}" for (name,) in place.rows(SEQUENCES)]
    if not place.value("SELECT has_function_privilege(to_regprocedure(%s), 'EXECUTE')", PURGE):
        missing.append("EXECUTE on purge_audit_events")
    if missing:
        yield fault("grants", f"the role lacks {_few(missing)}", f"{UPGRADE}, which grants what is needed")
    if excess:
        yield bad(
            "grants",
            f"the role has {_few(excess)}: whoever holds it can change what it is only to read or add to",
            f"{UPGRADE}, which revokes it; an owner or superuser keeps it, so use another role",
            production=place.settings.production,
        )
    if not missing and not excess:
        yield ok("grants", "rows of all tables; the audit trail can be added to, not changed")


SEQUENCES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    # CASE, because the function fails on anything else, and AND promises no order.
    " AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') ELSE false END ORDER BY relname"
)
FEW = 4


def _few(items: list[str]) -> str:
    more = f" and {len(items) - FEW} more" if len(items) > FEW else ""
    return "; ".join(items[:FEW]) + more
