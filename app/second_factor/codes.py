"""The arithmetic of codes: which time steps a TOTP code is of (RFC 6238), how a recovery code is written (SEC-33)."""

import base64
import hashlib
import hmac
import re
import secrets

import pyotp

SECONDS = 30
WINDOW = 1
SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_BYTES = 15
GROUP = 4
LOOK_ALIKE = str.maketrans("018", "OIB")
"""Digits that base32 does not have, and the letters that people mean by them."""


def new_secret() -> bytes:
    """160 random bits, as RFC 4226 recommends."""
    return secrets.token_bytes(SECRET_BYTES)


def as_text(secret: bytes) -> str:
    """The secret as authenticator apps want it: base32."""
    return base64.b32encode(secret).decode()


def from_text(text: str) -> bytes:
    """The reverse of ``as_text``."""
    return base64.b32decode(text)


def current_code(secret: str, timestamp: float) -> str:
    """What an authenticator app with that secret (base32) shows."""
    return pyotp.TOTP(secret).generate_otp(int(timestamp) // SECONDS)


def otpauth_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(as_text(secret)).provisioning_uri(name=account, issuer_name=issuer)


def matching_steps(secret: bytes, code: str, timestamp: float) -> list[int]:
    """The time steps that a code is of, oldest first: now, one before, one after (SEC-30).

    Args:
        code: as it was typed; white space does not count.
        timestamp: seconds since the epoch, by the server's clock.
    """
    typed = "".join(code.split())
    if not re.fullmatch(r"[0-9]{6}", typed):
        return []
    totp, now = pyotp.TOTP(as_text(secret)), int(timestamp) // SECONDS
    steps = range(now - WINDOW, now + WINDOW + 1)
    return [step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)]


def new_recovery_codes() -> list[str]:
    """Ten codes of 120 random bits, in groups of four characters."""
    return [_grouped(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> bytes | None:
    """What is stored of a recovery code; None for what cannot be one. Case, hyphens and white space do not count."""
    typed = re.sub(r"[\s-]", "", code).upper().translate(LOOK_ALIKE)
    if not re.fullmatch(r"[A-Z2-7]{24}", typed):
        return None
    return hashlib.sha256(base64.b32decode(typed)).digest()


def _grouped(data: bytes) -> str:
    text = base64.b32encode(data).decode()
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))
