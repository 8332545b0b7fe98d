"""The database's schema: upgraded under a lock, with the rights of the service's own role granted after.

Alembic is loaded by whoever migrates: the API and the worker go without it, and without the memory that it takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from app.config import Settings

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
LOCK = 7_305_806_482_211_114_103
"""Any fixed number: whoever holds it migrates, others wait."""


class SchemaUnreachableError(Exception):
    """The database refused or did not answer; the message is the driver's, which names no password."""


class SchemaRefusedError(Exception):
    """Alembic does not do it; the message is its own."""


def alembic_config(settings: Settings | None = None) -> "Config":
    """Alembic's configuration; migrations/env.py takes its URL and connection from ``attributes``."""
    from alembic.config import Config  # noqa: PLC0415 - see the module

    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.set_main_option("script_location", str(MIGRATIONS))
    if settings is not None:
        config.attributes["url"] = owner_url(settings)
    return config


def owner_url(settings: Settings) -> str:
    """Where the schema's owner connects: MIGRATION_DATABASE_URL, else DATABASE_URL."""
    secret = settings.migration_database_url or settings.database_url
    return secret.get_secret_value()


@lru_cache(maxsize=1)
def expected_revision() -> str | None:
    """The newest migration that this code knows: files are named by their numbers, without a gap."""
    return max(
        (file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")), default=None
    )


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Migrate up, alone, then grant the service's role its rights; safe to run from many places at once.

    Raises:
        SchemaUnreachableError: the database did not take part.
    """
    from alembic import command  # noqa: PLC0415 - see the module

    with alone(settings) as config:
        command.upgrade(config, revision)
        _grant(config.attributes["connection"], settings)


def downgrade(settings: Settings, revision: str) -> None:
    """Migrate down, alone.

    Raises:
        SchemaUnreachableError: the database did not take part.
    """
    from alembic import command  # noqa: PLC0415 - see the module

    with alone(settings) as config:
        command.downgrade(config, revision)


def write_revision(settings: Settings, message: str, *, empty: bool) -> None:
    """Write a migration with the next number, from the difference between models and database unless it is to be empty.

    Raises:
        SchemaUnreachableError, SchemaRefusedError: it cannot be told what the difference is.
    """
    from alembic import command  # noqa: PLC0415 - see the module

    number = f"{int(expected_revision() or 0) + 1:04d}"
    with alone(settings) as config:
        command.revision(config, message=message, autogenerate=not empty, rev_id=number)


def check(settings: Settings) -> None:
    """See that models and migrations agree.

    Raises:
        SchemaUnreachableError, SchemaRefusedError: they do not, or it cannot be told.
    """
    from alembic import command  # noqa: PLC0415 - see the module

    with alone(settings) as config:
        command.check(config)


@contextmanager
def alone(settings: Settings) -> "Iterator[Config]":
    """Alembic's configuration with a connection of the owner, which holds the lock of all that migrate.

    Raises:
        SchemaUnreachableError: the database did not take part.
        SchemaRefusedError: what was done with it was refused.
    """
    from alembic.util.exc import CommandError  # noqa: PLC0415 - see the module

    engine = create_engine(owner_url(settings), poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        opened = engine.connect()
    except OperationalError as error:
        raise SchemaUnreachableError(str(error.orig).strip()) from None
    config = alembic_config(settings)
    with opened as connection:
        config.attributes["connection"] = connection
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            yield config
            connection.commit()
        except CommandError as error:
            raise SchemaRefusedError(str(error)) from error
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            connection.commit()


def _grant(connection: Connection, settings: Settings) -> None:
    """Rows only, and of the audit trail only inserting and reading (SEC-58)."""
    role = make_url(settings.database_url.get_secret_value()).username
    owner = make_url(owner_url(settings)).username
    if not role or role == owner:
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for needs, statement in (
        (None, "GRANT USAGE ON SCHEMA public TO {role}"),
        (None, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
        (None, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"),
        (None, "REVOKE ALL ON alembic_version FROM {role}"),
        (None, "GRANT SELECT ON alembic_version TO {role}"),
        ("audit_events", "REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM {role}"),
        ("system_state", "REVOKE INSERT, DELETE ON system_state FROM {role}"),
        ("access_changes", "REVOKE INSERT, UPDATE ON access_changes FROM {role}"),
        ("audit_events", "GRANT EXECUTE ON FUNCTION purge_audit_events(timestamptz) TO {role}"),
        ("account_deletions", "GRANT EXECUTE ON FUNCTION anonymise_audit_events(uuid) TO {role}"),
    ):
        # An older revision, asked for by its number, has not all of them yet.
        if needs is None or connection.scalar(text("SELECT to_regclass(:name)"), {"name": needs}):
            connection.execute(text(statement.format(role=quoted)))
    connection.commit()
