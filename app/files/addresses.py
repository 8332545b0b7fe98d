"""Addresses of contents that need no header: what an ``<img>`` or a phone's player can open.

The only tokens that stand in a query, and good for five minutes at most (SEC-46, SEC-23). Each names a file, which form of it,
and for whom it was made: whoever loses access loses it here too, at once (SEC-42). The moment at which they end is rounded, so
that a list that is read twice has the same addresses and a browser finds its pictures in its cache.
"""

import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.keys import KeyRing, b64, mac, unb64

LAYOUT = struct.Struct(">16s16sHI")
TAG_BYTES = 16
WHOLE = 0
PREFIX = "hff1"


@dataclass(frozen=True)
class Address:
    """Attributes: edge: of the preview it leads to, 0 for the file itself. user_id: for whom it was made."""

    file_id: UUID
    user_id: UUID
    edge: int


def account_named_in(token: str) -> str | None:
    """The account that a token says it was made for. Proves nothing: good for telling who waits for whom."""
    try:
        return str(UUID(bytes=LAYOUT.unpack(unb64(token.split(".")[2])[: LAYOUT.size])[1]))
    except (ValueError, IndexError, struct.error):
        return None


class FileAddresses:
    """Makes and reads them.

    Args:
        ring: keys of the purpose ``file-url``.
        base_url: of the API.
        seconds: the longest that one is good.
    """

    def __init__(self, ring: KeyRing, base_url: str, seconds: int, clock: Clock) -> None:
        self._ring = ring
        self._base = f"{base_url}/api/v1/files/content?token="
        self._half = max(1, seconds // 2)
        self._clock = clock

    def url(self, file_id: UUID, user_id: UUID, edge: int = WHOLE) -> str:
        """An absolute URL; good for at least half of the longest time."""
        ends = (int(self._clock.now().timestamp()) // self._half + 2) * self._half
        payload = LAYOUT.pack(file_id.bytes, user_id.bytes, edge, ends)
        key_id, key = self._ring.current
        return f"{self._base}{PREFIX}.{key_id}.{b64(payload + mac(key, payload, size=TAG_BYTES))}"

    def read(self, token: str) -> Address:
        """What a token leads to.

        Raises:
            AppError: ``token_expired_or_used``; ``not_found`` for one that we did not make.
        """
        payload = self._genuine(token)
        if payload is None:
            raise not_found("file")
        file_id, user_id, edge, ends = LAYOUT.unpack(payload)
        if self._clock.now() >= datetime.fromtimestamp(ends, UTC):
            raise AppError(
                Code.token_expired_or_used, "This address has expired. Read the file anew for another."
            )
        return Address(UUID(bytes=file_id), UUID(bytes=user_id), edge)

    def _genuine(self, token: str) -> bytes | None:
        prefix, _, rest = token.partition(".")
        key_id, _, body = rest.partition(".")
        key = self._ring.get(key_id)
        if prefix != PREFIX or key is None or not token.isascii():
            return None
        try:
            sealed = unb64(body)
        except ValueError:
            return None
        payload, tag = sealed[: LAYOUT.size], sealed[LAYOUT.size :]
        sound = len(payload) == LAYOUT.size and hmac.compare_digest(tag, mac(key, payload, size=TAG_BYTES))
        return payload if sound else None
