"""Each replica: whether it can be reached, follows our primary, and how far behind it is."""

from collections.abc import Iterator
from typing import Any

import psycopg

from app.cli.checks.finding import Finding, fault, ok, warn
from app.cli.checks.look import connect
from app.config import Settings
from app.core.replicas.server import MOST_BYTES, SAME
from app.core.schema import expected_revision

ABOUT = "replica"
PRIMARY = f"SELECT {SAME}, pg_current_wal_lsn()::text"
STANDBY = (
    f"SELECT {SAME}, pg_is_in_recovery(), current_setting('in_hot_standby') = 'on',"
    " current_setting('is_superuser') = 'on',"
    " greatest(0, pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()))::bigint"
)
REVISION = "SELECT version_num FROM alembic_version"
UNUSED = "until then the primary answers for it"


def look(settings: Settings) -> Iterator[Finding]:
    """One finding or more for each replica; none where none is set."""
    if not settings.database_replica_urls:
        return
    try:
        with connect(settings) as link:
            primary = link.execute(PRIMARY.encode()).fetchone()
    except psycopg.Error:
        yield warn(
            ABOUT,
            "the primary cannot be asked, so nothing can be compared",
            "see the line about the database",
        )
        return
    for url in settings.database_replica_urls:
        yield _one(settings, url.get_secret_value(), primary)


def _one(settings: Settings, url: str, primary: Any) -> Finding:
    place = url.rpartition("@")[2].partition("?")[0]
    identity, written = primary
    try:
        with connect(settings, url) as link:
            found: Any = link.execute(STANDBY.encode(), (written,)).fetchone()
            revision: Any = link.execute(REVISION).fetchone()
    except psycopg.errors.UndefinedTable:
        return fault(ABOUT, f"{place} has no tables", f"let it follow the primary's log; {UNUSED}")
    except psycopg.Error as error:
        words = str(error).strip().partition("\n")[0].rpartition("failed: ")[2]
        return fault(
            ABOUT, f"{place} cannot be used: {words}", f"start it, or correct DATABASE_REPLICA_URLS; {UNUSED}"
        )
    return _judged(place, found, identity, revision)


def _judged(place: str, found: Any, identity: str, revision: Any) -> Finding:
    its_identity, standby, read_only, superuser, behind = found
    if its_identity != identity:
        what = f"{place} is of another cluster, or another database, than DATABASE_URL"
        return fault(ABOUT, what, "correct DATABASE_REPLICA_URLS, or make the replica anew by pg_basebackup")
    if not (standby and read_only):
        what = f"{place} takes writes: it is the primary, or was promoted"
        return fault(ABOUT, what, "take it out of DATABASE_REPLICA_URLS, or make it a standby again")
    if superuser:
        what = f"{place} is read as a superuser: no right holds it back"
        return warn(ABOUT, what, "name the role of DATABASE_URL in DATABASE_REPLICA_URLS; it is there too")
    if behind > MOST_BYTES:
        what = f"{place} is {behind // 2**20} MiB behind, so it is not asked"
        return warn(ABOUT, what, "look at pg_stat_replication of the primary and at the replica's log")
    if revision is None or revision[0] != expected_revision():
        what = f"{place} has another schema than this code: {revision[0] if revision else 'none'}"
        return warn(
            ABOUT, what, "run `flask db upgrade` on the primary, or wait until the replica has replayed it"
        )
    return ok(ABOUT, f"{place}: a standby of this database, {behind // 1024} KiB behind, read-only")
