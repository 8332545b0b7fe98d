"""How SMTP_URL and MAIL_FROM are read; here, below everything else, so that the settings can be checked by it."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

Tls = Literal["none", "starttls", "implicit"]

_PORTS: dict[Tls, int] = {"none": 25, "starttls": 587, "implicit": 465}
_PLAIN_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over. Made from a URL by ``parse``."""

    host: str
    port: int
    tls: Tls
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Read ``smtp://[user:password@]host[:port][?tls=starttls|none]`` or ``smtps://...``.

        User and password are percent-encoded. Ports default to 25, 587 with STARTTLS, 465 with smtps. A password
        in clear text over the network has to be asked for with ``tls=none``.

        Raises:
            ValueError: saying what is wrong, without the password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("the SMTP URL is not a URL") from None
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("the SMTP URL must be smtp://host or smtps://host")
        query = parse_qs(parts.query, keep_blank_values=True)
        wanted = query.pop("tls", [""])[0]
        if query or wanted not in {"", "none", "starttls"} or (wanted and parts.scheme == "smtps"):
            raise ValueError("the SMTP URL takes ?tls=starttls or ?tls=none with smtp://, and nothing else")
        if parts.username and parts.scheme == "smtp" and not wanted:
            raise ValueError(
                "the SMTP URL has a password: add ?tls=starttls (or ?tls=none to send it in clear)"
            )
        tls: Tls = "implicit" if parts.scheme == "smtps" else "starttls" if wanted == "starttls" else "none"
        return cls(
            host=parts.hostname,
            port=port or _PORTS[tls],
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or "") if parts.username else None,
        )


def mail_address(address: str, display_name: str = "") -> Address:
    """Check an address and spell its domain in ASCII (IDNA 2008).

    Raises:
        ValueError: it is not one plain address.
    """
    local, _, domain = address.rpartition("@")
    # The library refuses localhost, .local and the like; inside a network mail goes to them all the same.
    plain = _PLAIN_DOMAIN.fullmatch(domain)
    try:
        checked = validate_email(f"{local}@example.com" if plain else address, check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("the mail address is not valid") from None
    return Address(display_name, checked.local_part, domain if plain else checked.ascii_domain)
