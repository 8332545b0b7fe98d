"""The database's schema: upgraded under a lock, with the rights of the service's own role granted after."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.config import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
LOCK = 7_305_806_482_211_114_103
"""Any fixed number: whoever holds it migrates, others wait."""


def alembic_config(settings: Settings | None = None) -> Config:
    """Alembic's configuration; migrations/env.py takes its URL and connection from ``attributes``."""
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
    """The newest migration that this code knows."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Migrate up, alone, then grant the service's role its rights; safe to run from many places at once."""
    with _alone(settings) as connection:
        config = alembic_config(settings)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        _grant(connection, settings)


def downgrade(settings: Settings, revision: str) -> None:
    """Migrate down, alone."""
    with _alone(settings) as connection:
        config = alembic_config(settings)
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


@contextmanager
def _alone(settings: Settings) -> Iterator[Connection]:
    engine = create_engine(owner_url(settings), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            yield connection
            connection.commit()
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
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "REVOKE ALL ON alembic_version FROM {role}",
        "GRANT SELECT ON alembic_version TO {role}",
        "REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM {role}",
        "REVOKE INSERT, DELETE ON system_state FROM {role}",
        "GRANT EXECUTE ON FUNCTION purge_audit_events(timestamptz) TO {role}",
    ):
        connection.execute(text(statement.format(role=quoted)))
    connection.commit()
