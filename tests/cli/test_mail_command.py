"""`flask mail test`: one mail, now, and what became of it."""

from tests.fixtures.command_line import command_line
from tests.fixtures.smtp_sink import smtp_sink


def test_into_the_mailbox(flask, parts):
    result = flask("mail", "test", "grace@example.com")
    assert result.exit_code == 0
    assert result.output == "Sent to grace@example.com to the mailbox at http://localhost:8000/dev/mailbox.\n"
    (kept,) = parts.mailbox.list("grace@example.com")
    assert parts.settings.product_name in kept.mail.subject


def test_by_smtp(make_app):
    with smtp_sink() as sink:
        app = make_app(smtp_url=f"smtp://127.0.0.1:{sink.port}", mail_from="Holdfast <hello@example.com>")
        result = command_line(app)("mail", "test", "grace@example.com")
        (message,) = sink.messages
    assert result.exit_code == 0
    assert result.output == "Sent to grace@example.com by SMTP.\n"
    assert message["To"] == "grace@example.com"
    assert message["From"] == "Holdfast <hello@example.com>"


def test_to_nobody_who_listens(make_app):
    result = command_line(make_app(smtp_url="smtp://127.0.0.1:1"))("mail", "test", "grace@example.com")
    assert result.exit_code == 1
    assert result.output.startswith("Error: the mail was not sent: the SMTP server could not be used")
    assert "Traceback" not in result.output


def test_to_a_recipient_whom_the_server_refuses(make_app):
    with smtp_sink(answers={"RCPT": "550 nobody of that name"}) as sink:
        result = command_line(make_app(smtp_url=f"smtp://127.0.0.1:{sink.port}"))(
            "mail", "test", "grace@example.com"
        )
    assert result.exit_code == 1
    assert "the SMTP server answered 550" in result.output


def test_to_what_is_no_address(make_app):
    with smtp_sink() as sink:
        result = command_line(make_app(smtp_url=f"smtp://127.0.0.1:{sink.port}"))(
            "mail", "test", "grace at example"
        )
        assert sink.messages == []
    assert result.exit_code == 1
    assert "not one that mail can be sent to" in result.output


def test_to_an_address_with_a_line_break(flask, parts):
    """A header of somebody's own making gets nowhere."""
    result = flask("mail", "test", "grace@example.com\nBcc: everybody@example.com")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert parts.mailbox.list() == ()
