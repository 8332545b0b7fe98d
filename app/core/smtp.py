"""Mail by SMTP (RFC 5321), one connection a mail: a worker sends few, and a pool of idle ones would be dropped."""

import contextlib
import secrets
import smtplib
import socket
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from app.config_mail import SmtpServer, mail_address
from app.core.clock import Clock
from app.core.mail_message import Mail, MailRefusedError, MailUnavailableError

_PERMANENT = 500


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
        self._sender = mail_address(address, name)
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
            recipient = mail_address(mail.to)
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

    def check(self) -> None:
        """Connect, secure the connection and sign in as for a mail, and leave without sending one.

        Raises:
            MailUnavailableError: a mail could not go out now; its cause is what smtplib or the network said.
        """
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailableError(
                f"the SMTP server could not be used: {type(error).__name__}"
            ) from error
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()

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


def _own_name() -> str:
    """The name for EHLO. smtplib's own default asks the DNS, which may take longer than the mail."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _failure(status: int) -> MailRefusedError | MailUnavailableError:
    kind = MailRefusedError if status >= _PERMANENT else MailUnavailableError
    return kind(f"the SMTP server answered {status}")
