"""A token as its owner sees it once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.api_tokens.models import ApiToken


@dataclass(frozen=True)
class MadeToken:
    """What was just made; ``token`` is never seen again."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    token: str

    @classmethod
    def of(cls, row: ApiToken, token: str) -> "MadeToken":
        return cls(row.id, row.name, row.scopes, row.created_at, row.expires_at, row.last_used_at, token)
