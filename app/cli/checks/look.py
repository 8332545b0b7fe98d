"""A connection to look around with: reads only, briefly."""

from dataclasses import dataclass
from typing import Any

import psycopg

from app.config import Settings

CONNECT_SECONDS, STATEMENT_MS = 2, 1_500


@dataclass(frozen=True)
class Look:
    """What a check of the database is given.

    Attributes:
        link: in autocommit, read-only, with short time limits.
        settings: of the service.
    """

    link: psycopg.Connection[Any]
    settings: Settings

    def rows(self, query: str, *values: Any) -> list[Any]:
        return self.link.execute(query.encode(), values).fetchall()

    def row(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0]

    def value(self, query: str, *values: Any) -> Any:
        """The one value, ``None`` when there is no row."""
        found = self.rows(query, *values)
        return found[0][0] if found else None


def connect(settings: Settings, url: str | None = None) -> psycopg.Connection[Any]:
    """The connection of a look.

    Args:
        url: another server than that of ``DATABASE_URL``.

    Raises:
        psycopg.Error: there is none to be had.
    """
    url = (url or settings.database_url.get_secret_value()).replace(
        "postgresql+psycopg2://", "postgresql://", 1
    )
    options = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout=500 -c default_transaction_read_only=on"
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        options=options,
        application_name="holdfast-doctor",
    )
