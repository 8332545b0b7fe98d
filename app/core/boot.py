"""What only a look into the database can tell about a configuration, asked once before the first worker starts.

A database that does not answer is no fault here: the service starts without it, unready (REL-05).
"""

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.config import Settings
from app.core.telemetry import log

logger = log(__name__)
KEPT_BY_SERVER = 3  # superuser_reserved_connections, as PostgreSQL comes
FOR_OTHERS = 5  # the worker of jobs, a migration, somebody with psql

ROLE = text(
    "SELECT rolsuper,"
    " pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE')"
    " OR EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')"
    " AND pg_has_role(current_user, relowner, 'USAGE')) AS owns"
    " FROM pg_roles WHERE rolname = current_user"
)
STATE_TABLE = text(
    "SELECT coalesce(has_table_privilege(to_regclass('public.system_state'), 'SELECT'), false)"
)
SEEDED = text("SELECT count(*) > 0 FROM system_state WHERE demo_seeded_at IS NOT NULL")


def database_faults(settings: Settings) -> list[str]:
    """Why the service should not start on this database (SEC-56, REL-04).

    Opens one connection and closes it again, so it may be called before a fork (trap T21).

    Returns:
        One sentence per fault, naming the variable and no secret; none when the database cannot be asked.
    """
    engine = create_engine(
        settings.database_url.get_secret_value(),
        poolclass=NullPool,
        connect_args={"connect_timeout": 2, "options": "-c statement_timeout=2000"},
    )
    try:
        with engine.connect() as connection:
            return [
                *_size_faults(connection, settings),
                *(_production_faults(connection) if settings.production else []),
            ]
    except SQLAlchemyError as error:
        logger.warning("boot_checks_skipped", error=type(error).__name__)
        return []


def _size_faults(connection: Connection, settings: Settings) -> list[str]:
    """All pools full must leave the server room for others, or those who come last are refused at the worst time."""
    largest = settings.workers * (settings.pool_size + settings.db_max_overflow)
    allowed = int(connection.execute(text("SHOW max_connections")).scalar_one())
    if largest + FOR_OTHERS <= allowed - KEPT_BY_SERVER:
        return []
    told = f"{largest} connections, and {FOR_OTHERS} for others and {KEPT_BY_SERVER} that PostgreSQL keeps"
    return [
        f"WORKERS: x (DB_POOL_SIZE + DB_MAX_OVERFLOW) makes {told}: more than its max_connections = {allowed}"
    ]


def _production_faults(connection: Connection) -> list[str]:
    faults = []
    role = connection.execute(ROLE).one()
    if role.rolsuper:
        faults.append(
            "DATABASE_URL: its role is a superuser; the service needs one that may read and write rows"
        )
    elif role.owns:
        faults.append(
            "DATABASE_URL: its role owns the database or its tables; give the owner to MIGRATION_DATABASE_URL alone"
        )
    if connection.execute(STATE_TABLE).scalar_one() and connection.execute(SEEDED).scalar_one():
        faults.append(
            "DATABASE_URL: the demo accounts live in this database, and everybody knows their password"
        )
    return faults
