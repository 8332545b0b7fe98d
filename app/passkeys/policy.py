"""Who may do what with a passkey, and how many there may be."""

from app.core.access import Actor
from app.passkeys.models import Passkey

MOST_PASSKEYS = 9
"""With the authenticator app these make ten factors, the most that an account has (SEC-32)."""


def owns(actor: Actor, passkey: Passkey) -> bool:
    """People manage their own; anybody else's do not exist for them."""
    return passkey.user_id == actor.user_id


def has_room(passkeys: int) -> bool:
    """Whether one more may be added to so many."""
    return passkeys < MOST_PASSKEYS
