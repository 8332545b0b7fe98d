"""A connection to look around with: reads only, briefly."""

from dataclasses import dataclass
from typing import Any

import psycopg

from app.config import Settings


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
