"""Who may do what with API tokens: pure functions."""

from app.api_tokens.models import ApiToken
from app.core.access import Actor


def can_revoke(actor: Actor, token: ApiToken) -> bool:
    """Only the owner."""
    return actor.user_id == token.user_id
