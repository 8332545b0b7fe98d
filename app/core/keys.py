"""Keys: rings that can rotate, and one derived key per purpose.

A ring is ``id:base64,id:base64``; the first is used for new things, all of them for old ones. Whatever is stored
or handed out carries the id of its key. A purpose never uses a ring key itself but one derived from it by HKDF
(RFC 5869) under the purpose's own name, so that no token of one kind can pass for another (SEC-23, SEC-59).
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSES = (
    "access-token",
    "refresh-token",
    "verify-email-link",
    "verify-email-code",
    "cursor",
    "throttle",
    "mfa-token",
    "device-token",
    "totp-secret",
    "reset-password-link",
    "reset-password-code",
    "email-change-link",
    "email-change-code",
    "cancel-email-change-link",
    "restore-account-link",
    "invitation-link",
    "file-url",
)
"""Every use of a derived key; the token matrix test walks this list (SEC-23)."""


@dataclass(frozen=True)
class Key:
    id: str
    secret: bytes


class KeyRing:
    """Keys by id, the first one current.

    Args:
        keys: at least one.
    """

    def __init__(self, keys: list[Key]) -> None:
        self._keys = {key.id: key for key in keys}
        self.first = keys[0]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read ``id:base64,...``; the settings were checked before, so this expects a sound ring."""
        pairs = (entry.strip().partition(":") for entry in text.split(","))
        return cls([Key(key_id, base64.b64decode(encoded)) for key_id, _, encoded in pairs])

    @property
    def current(self) -> tuple[str, bytes]:
        return self.first.id, self.first.secret

    def get(self, key_id: str) -> bytes | None:
        key = self._keys.get(key_id)
        return key.secret if key else None

    @property
    def ids(self) -> list[str]:
        return list(self._keys)

    def derive(self, purpose: str) -> "KeyRing":
        """The ring of this purpose: same ids, other keys."""
        if purpose not in PURPOSES:
            raise ValueError(f"{purpose} is not a declared purpose")
        return KeyRing(
            [Key(key.id, expand(key.secret, f"holdfast/{purpose}")) for key in self._keys.values()]
        )


def expand(secret: bytes, info: str, length: int = 32) -> bytes:
    """HKDF-SHA256 without salt: the input is uniformly random already (RFC 5869, section 3.1)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info.encode()).derive(secret)


def mac(key: bytes, *parts: bytes, size: int = 32) -> bytes:
    """HMAC-SHA256 over length-prefixed parts, so that no two lists of parts are the same message."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, message, hashlib.sha256).digest()[:size]


def b64(data: bytes) -> str:
    """URL-safe base64 without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The reverse of ``b64``.

    Raises:
        ValueError: for anything that ``b64`` did not make, other spellings of the same bytes included.
    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if b64(data) != text:
        raise ValueError("not canonical base64url")
    return data


class SigningKeys:
    """Ed25519 keys for access tokens (RFC 8037); other services get the public halves as a JWKS."""

    def __init__(self, ring: KeyRing) -> None:
        self._private = {
            key_id: Ed25519PrivateKey.from_private_bytes(
                expand(ring.get(key_id) or b"", "holdfast/access-token")
            )
            for key_id in ring.ids
        }
        self._public = {key_id: key.public_key() for key_id, key in self._private.items()}
        self.current_id = ring.first.id

    @property
    def signer(self) -> Ed25519PrivateKey:
        return self._private[self.current_id]

    def verifier(self, key_id: object) -> Ed25519PublicKey | None:
        return self._public.get(key_id) if isinstance(key_id, str) else None

    @cached_property
    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """The public keys (RFC 7517), never a private member."""
        return {
            "keys": [
                {
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"],
                    "kid": key_id, "x": b64(key.public_bytes_raw()),
                }
                for key_id, key in self._public.items()
            ]
        }  # fmt: skip


def fresh_ring(key_id: str, secret: bytes) -> str:
    """One ring entry as the environment wants it."""
    return f"{key_id}:{base64.b64encode(secret).decode()}"
