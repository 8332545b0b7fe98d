"""How an API token is written: ``hf_``, 256 random bits in 43 letters and digits, 6 more of CRC-32 over all before.

Letters and digits alone, so that a double click selects it whole. The checksum lets a secret scanner tell a token from
chance, and refuses a mistyped one without asking the database. It protects nothing: the random bits do.
"""

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "hf_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_DIGITS, CHECK_DIGITS = 43, 6
PATTERN = rf"^{PREFIX}[0-9A-Za-z]{{{SECRET_DIGITS + CHECK_DIGITS}}}$"
SHAPE = re.compile(PATTERN.removesuffix("$") + r"\Z", re.ASCII)


def new_token() -> str:
    """A token that nobody has."""
    body = PREFIX + _base62(secrets.randbits(256), SECRET_DIGITS)
    return body + _checksum(body)


def digest_of(token: str) -> bytes | None:
    """The SHA-256 by which the token is stored; ``None`` for a text that cannot be a token."""
    if not SHAPE.match(token) or _checksum(token[:-CHECK_DIGITS]) != token[-CHECK_DIGITS:]:
        return None
    return hashlib.sha256(token.encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    """So many digits, the highest first."""
    found = ""
    for _ in range(digits):
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found
