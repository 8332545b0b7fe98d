"""Link tokens and six-digit codes that mails carry: computed from a row's id and a key, never stored (SEC-34).

A row that is proved by mail has ``id``, ``key_id`` (of the ring its codes are made with) and ``mails`` (how many were
sent for it: each makes another code). The row alone says how long it is good and whether it was used.
"""

import hmac
from typing import Protocol
from uuid import UUID

from app.core.keys import KeyRing, b64, mac, unb64

PARTS = 4
DIGITS = 6


class Mailed(Protocol):
    """A row that is proved by mail."""

    @property
    def id(self) -> UUID: ...
    @property
    def key_id(self) -> str: ...
    @property
    def mails(self) -> int: ...


class MailCodes:
    """Links and codes of one kind.

    Args:
        prefix: what its link tokens begin with, e.g. ``hfv1``; one a kind.
        links: ring of a purpose of its own.
        codes: ring of another purpose of its own.
    """

    def __init__(self, prefix: str, links: KeyRing, codes: KeyRing) -> None:
        self._prefix = prefix
        self._links = links
        self._codes = codes

    @property
    def key_id(self) -> str:
        """The key that a new row's link and codes are made with."""
        return self._links.first.id

    def link_token(self, row: Mailed) -> str:
        """``<prefix>.<key id>.<row's id>.<mac>``, 256 bits of MAC.

        Raises:
            LookupError: the row's key was retired.
        """
        tag = mac(_key(self._links, row), row.id.bytes)
        return f"{self._prefix}.{row.key_id}.{b64(row.id.bytes)}.{b64(tag)}"

    def read_link(self, token: str) -> UUID | None:
        """The row that a genuine link token names, else ``None``."""
        parts = token.split(".")
        if len(parts) != PARTS or parts[0] != self._prefix or not token.isascii():
            return None
        key = self._links.get(parts[1])
        try:
            identifier, tag = UUID(bytes=unb64(parts[2])), unb64(parts[3])
        except ValueError:
            return None
        genuine = key is not None and hmac.compare_digest(mac(key, identifier.bytes), tag)
        return identifier if genuine else None

    def code(self, row: Mailed) -> str:
        """Six digits; another set for each mail that is sent.

        Raises:
            LookupError: the row's key was retired.
        """
        made = mac(_key(self._codes, row), row.id.bytes, str(row.mails).encode())
        number = int.from_bytes(made, "big")
        return str(number % 10**DIGITS).zfill(DIGITS)

    def matches(self, row: Mailed, code: str) -> bool:
        """Whether it is the row's code; none is where its key was retired."""
        if self._codes.get(row.key_id) is None:
            return False
        return hmac.compare_digest(self.code(row).encode(), code.encode())


def _key(ring: KeyRing, row: Mailed) -> bytes:
    key = ring.get(row.key_id)
    if key is None:
        raise LookupError(f"the key {row.key_id} was retired")
    return key
