"""Mail: one import for all who send one. It goes out by SMTP, or into a folder on a developer's machine."""

from pathlib import Path

from app.core.clock import Clock
from app.core.mail_message import Mail, Mailer, MailError, MailRefusedError, MailUnavailableError
from app.core.mailbox import KeptMail, MailboxFolder
from app.core.smtp import SmtpMailer

__all__ = [
    "KeptMail",
    "Mail",
    "MailError",
    "MailRefusedError",
    "MailUnavailableError",
    "MailboxFolder",
    "Mailer",
    "SmtpMailer",
    "make_mailer",
]


def make_mailer(
    smtp_url: str | None, sender: str, mailbox_dir: Path | None, *, clock: Clock | None = None
) -> SmtpMailer | MailboxFolder:
    """SMTP when there is a URL, else the folder.

    Args:
        smtp_url: as ``SmtpMailer`` takes it.
        sender: ``Name <address>`` or an address.
        mailbox_dir: where mails are kept without SMTP.
        clock: what dates them.

    Raises:
        ValueError: neither is given, or the URL or the sender is not valid.
    """
    if smtp_url:
        return SmtpMailer(smtp_url, sender, clock=clock)
    if mailbox_dir:
        return MailboxFolder(mailbox_dir, clock=clock)
    raise ValueError("there is no way out for mail: set SMTP_URL or MAILBOX_DIR")
