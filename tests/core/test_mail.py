"""The one import for mail: the message itself, and which way it goes out."""

import pytest

from app.core.mail import Mail, MailboxFolder, SmtpMailer, make_mailer


def test_smtp_wins_over_the_folder(tmp_path):
    assert isinstance(make_mailer("smtp://mailpit:1025", "no-reply@example.com", tmp_path), SmtpMailer)


def test_without_smtp_the_folder(tmp_path):
    assert isinstance(make_mailer(None, "no-reply@example.com", tmp_path), MailboxFolder)
    assert isinstance(make_mailer("", "no-reply@example.com", tmp_path), MailboxFolder)


def test_no_way_out_is_a_fault():
    with pytest.raises(ValueError, match="SMTP_URL or MAILBOX_DIR"):
        make_mailer(None, "no-reply@example.com", None)


def test_a_mail_in_a_log_tells_nothing():
    """SEC-57: address, code, token and text stay out of whatever prints the object."""
    mail = Mail("canary@x", "canary", "canary", "canary", "verify_email", "canary", "canary", "canary")
    assert repr(mail) == "Mail(kind='verify_email')"
