"""The refresh token: opaque, made by HMAC, stored nowhere (SEC-18).

``hfr1.<key id>.<session id>.<counter>.<mac>``. The MAC key is made of a ring key and the session's own random key, so
neither a copy of the database nor the ring alone can make a token. Because the token is computed, the same successor
can be handed out again to a client that lost the first answer.
"""

import hmac
from dataclasses import dataclass
from uuid import UUID

from app.core.keys import KeyRing, b64, mac, unb64
from app.sessions.models import Session

PREFIX = "hfr1"
PARTS = 5
MAX_DIGITS = 9


@dataclass(frozen=True)
class PresentedToken:
    """A token taken apart; nothing in it is proved until ``RefreshTokens.genuine`` says so."""

    key_id: str
    session_id: UUID
    counter: int
    tag: bytes


class RefreshTokens:
    """Args: ring: keys of the purpose ``refresh-token``."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def make(self, session: Session) -> str:
        """The token of the session's newest generation."""
        key_id, key = self._ring.current
        tag = self._tag(key, key_id, session.mac_key, session.id, session.counter)
        return f"{PREFIX}.{key_id}.{b64(session.id.bytes)}.{session.counter}.{b64(tag)}"

    def read(self, text: str) -> PresentedToken | None:
        """Take a token apart; ``None`` for what cannot be one."""
        parts = text.split(".")
        if len(parts) != PARTS or parts[0] != PREFIX or not text.isascii():
            return None
        _, key_id, session_id, counter, tag = parts
        if not counter.isdigit() or len(counter) > MAX_DIGITS or counter != str(int(counter)):
            return None
        try:
            return PresentedToken(key_id, UUID(bytes=unb64(session_id)), int(counter), unb64(tag))
        except ValueError:
            return None

    def genuine(self, token: PresentedToken, mac_key: bytes) -> bool:
        """Whether we made this token for the session with that key."""
        key = self._ring.get(token.key_id)
        if key is None:
            return False
        expected = self._tag(key, token.key_id, mac_key, token.session_id, token.counter)
        return hmac.compare_digest(expected, token.tag)

    @staticmethod
    def _tag(key: bytes, key_id: str, mac_key: bytes, session_id: UUID, counter: int) -> bytes:
        own = mac(key, mac_key)
        return mac(own, PREFIX.encode(), key_id.encode(), session_id.bytes, str(counter).encode())
