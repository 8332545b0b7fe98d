"""Who may do what with a session."""

from app.core.access import Actor
from app.sessions.models import Session


def can_end(actor: Actor, session: Session) -> bool:
    """People end their own sessions; anybody else's do not exist for them."""
    return session.user_id == actor.user_id
