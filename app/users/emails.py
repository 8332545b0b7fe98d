"""How e-mail addresses are compared."""

import unicodedata

from email_validator import EmailNotValidError, validate_email


def email_key(address: str) -> str:
    """The form in which two spellings of one mailbox are equal: trimmed, NFKC, lower case, domain in ASCII (SEC-13).

    Mail goes to the ASCII form of a domain, and many spellings have the same one: other full stops, characters that
    nobody sees. Without this each would have its own counters, and could have an account of its own.
    """
    plain = unicodedata.normalize("NFKC", address.strip()).lower()
    if plain.isascii():
        return plain
    try:
        meant = validate_email(
            address.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError:  # nothing that a client may send: the operator's commands take any text
        return plain
    return f"{plain.rpartition('@')[0]}@{meant.ascii_domain.lower()}"
