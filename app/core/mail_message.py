"""What a mail is, and who can send one. Rendering is in mail_templates, the two ways out in smtp and mailbox."""

from dataclasses import dataclass, field
from typing import Protocol

_HEADER_BREAKERS = frozenset("\r\n\0")


@dataclass(frozen=True)
class Mail:
    """One mail to one person, rendered.

    Its ``repr`` names the kind and nothing else, so that no address, code or token reaches a log (SEC-57).

    Attributes:
        to: the address, without a display name.
        subject: one line.
        text, html: the same message twice.
        kind: which template it came from, e.g. ``verify_email``.
        code: the short code it shows, where there is one.
        token: the token in its link, where there is one.
        link: the address its button opens, where there is one.

    Raises:
        ValueError: an address or a subject with a line break, which would start a header of its own.
    """

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    kind: str
    code: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("to", "subject"):
            if _HEADER_BREAKERS & set(getattr(self, name)):
                raise ValueError(f"a mail's {name} must not hold a line break")


class Mailer(Protocol):
    """A way out for mails. Sending is slow and may fail: only jobs and the command line call it."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over; when this returns, the other side has it.

        Raises:
            MailRefusedError: it will never be taken; trying again is of no use.
            MailUnavailableError: not now; try again later.
        """
        ...


class MailError(Exception):
    """A mail did not go out. The message holds no address and nothing that the server said."""


class MailRefusedError(MailError):
    """The server will not take this mail, or the address cannot be one (SMTP 5xx)."""


class MailUnavailableError(MailError):
    """No connection, no TLS, no sign-in, or a passing refusal (SMTP 4xx)."""
