"""Mail by SMTP (RFC 5321), one connection a mail: a worker sends few, and a pool of idle ones would be dropped."""

import contextlib
import re
import secrets
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from app.core.clock import Clock
from app.core.mail_message import Mail, MailRefusedError, MailUnavailableError

Tls = Literal["none", "starttls", "implicit"]

_PORTS: dict[Tls, int] = {"none": 25, "starttls": 587, "implicit": 465}
_PERMANENT = 500
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


class SmtpMailer:
    """Sends by SMTP.

    Args:
        url: see ``SmtpServer.parse``.
        sender: ``Name <address>`` or an address; the envelope sender too.
        timeout: seconds that each step of the conversation may take.
        clock: what dates the mails.
        tls_context: the certificates to trust; by default those of the system.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        timeout: float = 10,
        *,
        clock: Clock | None = None,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = SmtpServer.parse(url)
        name, address = parseaddr(sender)
        self._sender = _address(address, name)
        self._timeout = timeout
        self._clock = clock or Clock()
        self._tls_context = tls_context or ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        """Deliver to the server. A mail whose DATA was accepted counts as sent, whatever happens to the QUIT.

        Raises:
            MailRefusedError: an impossible address, or a 5xx to the recipient or the content.
            MailUnavailableError: anything else that kept it from going out.
        """
        try:
            recipient = _address(mail.to)
        except ValueError:
            raise MailRefusedError("the address is not one that mail can be sent to") from None
        message = self._message(mail, recipient)
        try:
            connection = self._connect()
            try:
                connection.send_message(message, self._sender.addr_spec, [recipient.addr_spec])
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    connection.quit()
                connection.close()
        except smtplib.SMTPRecipientsRefused as error:
            raise _failure(max(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefusedError("the SMTP server does not take such an address") from None
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            raise _failure(error.smtp_code) from None
        except (OSError, smtplib.SMTPException) as error:
            # SMTPException says what the server said, which may repeat addresses: the class is enough.
            raise MailUnavailableError(f"the SMTP server could not be used: {type(error).__name__}") from None

    def _connect(self) -> smtplib.SMTP:
        server, name = self._server, _own_name()
        if server.tls == "implicit":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=self._timeout, context=self._tls_context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, name, timeout=self._timeout)
        try:
            if server.tls == "starttls":
                connection.starttls(context=self._tls_context)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except smtplib.SMTPNotSupportedError:
            connection.close()
            raise MailUnavailableError("the SMTP server offers no STARTTLS or no sign-in") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _message(self, mail: Mail, recipient: Address) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = recipient
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{secrets.token_hex(16)}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer, please
        message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        return message


def _address(address: str, display_name: str = "") -> Address:
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


def _own_name() -> str:
    """The name for EHLO. smtplib's own default asks the DNS, which may take longer than the mail."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _failure(status: int) -> MailRefusedError | MailUnavailableError:
    kind = MailRefusedError if status >= _PERMANENT else MailUnavailableError
    return kind(f"the SMTP server answered {status}")
