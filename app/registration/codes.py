"""Link tokens and six-digit codes of a registration: computed, never stored (SEC-34)."""

import hmac
from uuid import UUID

from app.core.keys import KeyRing, b64, mac, unb64
from app.registration.models import Registration

PREFIX = "hfv1"
PARTS = 4
DIGITS = 6


class VerificationCodes:
    """Args: links, codes: rings of the purposes ``verify-email-link`` and ``verify-email-code``."""

    def __init__(self, links: KeyRing, codes: KeyRing) -> None:
        self._links = links
        self._codes = codes

    @property
    def key_id(self) -> str:
        """The key that a new registration's link and codes are made with."""
        return self._links.first.id

    def link_token(self, registration: Registration) -> str:
        """``hfv1.<key id>.<registration id>.<mac>``, 256 bits of MAC."""
        key = self._links.get(registration.key_id) or b""
        tag = mac(key, registration.id.bytes)
        return f"{PREFIX}.{registration.key_id}.{b64(registration.id.bytes)}.{b64(tag)}"

    def read_link(self, token: str) -> UUID | None:
        """The registration that a genuine link token names, else ``None``."""
        parts = token.split(".")
        if len(parts) != PARTS or parts[0] != PREFIX or not token.isascii():
            return None
        key = self._links.get(parts[1])
        try:
            identifier, tag = UUID(bytes=unb64(parts[2])), unb64(parts[3])
        except ValueError:
            return None
        genuine = key is not None and hmac.compare_digest(mac(key, identifier.bytes), tag)
        return identifier if genuine else None

    def code(self, registration: Registration) -> str:
        """Six digits; another set for each mail that is sent."""
        key = self._codes.get(registration.key_id) or b""
        number = int.from_bytes(mac(key, registration.id.bytes, str(registration.mails).encode()), "big")
        return str(number % 10**DIGITS).zfill(DIGITS)

    def matches(self, registration: Registration, code: str) -> bool:
        return hmac.compare_digest(self.code(registration).encode(), code.encode())
