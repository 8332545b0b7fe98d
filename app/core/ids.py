"""Row keys: UUID version 7, made in Python because PostgreSQL has them from version 18 on only (RFC 9562)."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh key; keys of one process sort by the time they were made."""
    return uuid_utils.compat.uuid7()
