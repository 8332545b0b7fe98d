"""Secrets that must be read again are kept sealed: AES-256-GCM under a key of a ring (SEC-30, SEC-59)."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.keys import KeyRing

NONCE = 12


class Sealer:
    """Seals short secrets.

    Args:
        ring: of a purpose of its own, 32 bytes a key.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @property
    def key_id(self) -> str:
        """The key that new things are sealed under."""
        return self._ring.first.id

    def seal(self, secret: bytes, *, about: bytes) -> tuple[str, bytes]:
        """The id of the key, and nonce plus cipher text.

        Args:
            about: what the secret belongs to (a row's id); another row cannot pass it off as its own.
        """
        nonce = secrets.token_bytes(NONCE)
        return self._ring.first.id, nonce + AESGCM(self._ring.first.secret).encrypt(nonce, secret, about)

    def open(self, key_id: str, sealed: bytes, *, about: bytes) -> bytes:
        """The secret.

        Raises:
            ValueError: the key is not in the ring any more, or the cipher text was changed.
        """
        key = self._ring.get(key_id)
        if key is None:
            raise ValueError(f"no key {key_id} in the ring")
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about)
        except InvalidTag:
            raise ValueError("the sealed secret was changed") from None
