"""How e-mail addresses are compared."""

import unicodedata


def email_key(address: str) -> str:
    """The form in which two spellings of one address are equal: trimmed, NFKC, lower case (SEC-13)."""
    return unicodedata.normalize("NFKC", address.strip()).lower()
