"""The token between the two steps of a sign-in: names a challenge, and is worthless without its row (SEC-31)."""

import hmac
from uuid import UUID

from app.core.keys import KeyRing, b64, mac, unb64

PREFIX = "hfm1"
PARTS = 4


class MfaTokens:
    """Args: ring: keys of the purpose ``mfa-token``."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def make(self, challenge_id: UUID) -> str:
        """``hfm1.<key id>.<challenge>.<mac>``."""
        key_id, key = self._ring.current
        return f"{PREFIX}.{key_id}.{b64(challenge_id.bytes)}.{b64(mac(key, challenge_id.bytes))}"

    def read(self, token: str) -> UUID | None:
        """The challenge that a genuine token names; None for anything else."""
        parts = token.split(".")
        if len(parts) != PARTS or parts[0] != PREFIX or not token.isascii():
            return None
        key = self._ring.get(parts[1])
        try:
            challenge_id, tag = UUID(bytes=unb64(parts[2])), unb64(parts[3])
        except ValueError:
            return None
        genuine = key is not None and hmac.compare_digest(mac(key, challenge_id.bytes), tag)
        return challenge_id if genuine else None
