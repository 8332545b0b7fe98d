"""Mail by SMTP, against a real server on loopback."""

import socket
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from app.core.clock import Clock
from app.core.mail import Mail, MailRefusedError, MailUnavailableError, SmtpMailer
from app.core.smtp import SmtpServer
from tests.fixtures.smtp_sink import self_signed, smtp_sink

SENDER = "Holdfast <no-reply@mail.example.com>"


def a_mail(to="alice@example.com", subject="Confirm your address — now", **more):
    return Mail(to=to, subject=subject, text="Grüße\n" * 3, html="<p>Grüße</p>", kind="test", **more)


def test_a_mail_arrives_whole():
    with smtp_sink() as sink:
        ahead = Clock(lambda: 86_400)
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER, clock=ahead).send(a_mail())
    [envelope], [message] = sink.envelopes, sink.messages
    assert envelope.mail_from == "no-reply@mail.example.com"
    assert envelope.rcpt_tos == ["alice@example.com"]
    assert message["From"] == SENDER
    assert message["To"] == "alice@example.com"
    assert message["Subject"] == "Confirm your address — now"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@mail.example.com>")
    date = parsedate_to_datetime(message["Date"])
    assert abs(date - ahead.now()) < timedelta(seconds=30), "the date comes from the clock it was given"
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().splitlines() == ["Grüße"] * 3
    assert html.get_content().strip() == "<p>Grüße</p>"


@pytest.mark.parametrize("domain", ["localhost", "mail.local", "office.test"])
def test_addresses_inside_a_network(domain):
    with smtp_sink() as sink:
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", f"Holdfast <no-reply@{domain}>").send(
            a_mail(to=f"ada@{domain}")
        )
    assert (sink.envelopes[0].mail_from, sink.envelopes[0].rcpt_tos) == (
        f"no-reply@{domain}",
        [f"ada@{domain}"],
    )


def test_each_mail_has_an_id_of_its_own():
    with smtp_sink() as sink:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER)
        mailer.send(a_mail())
        mailer.send(a_mail())
    assert len({message["Message-ID"] for message in sink.messages}) == 2


@pytest.mark.parametrize("field", ["to", "subject"])
@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\0"])
def test_a_header_cannot_be_smuggled_in(field, breaker):
    with pytest.raises(ValueError, match=field):
        a_mail(**{field: f"alice@example.com{breaker}Bcc: charlie@example.com"})


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.com, charlie@example.com",
        "Alice <alice@example.com>",
        "alice",
        "@example.com",
        "a b@example.com",
    ],
)
def test_only_one_plain_address_is_a_recipient(address):
    with smtp_sink() as sink, pytest.raises(MailRefusedError) as refusal:
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER).send(a_mail(to=address))
    assert sink.envelopes == []
    assert "example" not in str(refusal.value)


def test_international_addresses():
    with smtp_sink() as sink:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER)
        mailer.send(a_mail(to="alice@bücher.example"))
        mailer.send(a_mail(to="jürgen@example.com"))
    first, second = sink.envelopes
    assert first.rcpt_tos == ["alice@xn--bcher-kva.example"]
    assert second.rcpt_tos == ["jürgen@example.com"]


def test_an_international_name_needs_a_server_that_takes_it():
    with smtp_sink(enable_SMTPUTF8=False) as sink, pytest.raises(MailRefusedError):
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER).send(a_mail(to="jürgen@example.com"))
    assert sink.envelopes == []


def test_implicit_tls(tmp_path):
    server, client = self_signed(tmp_path)
    with smtp_sink(tls=server, implicit=True) as sink:
        SmtpMailer(f"smtps://127.0.0.1:{sink.port}", SENDER, tls_context=client).send(a_mail())
    assert len(sink.envelopes) == 1


def test_starttls_and_sign_in(tmp_path):
    server, client = self_signed(tmp_path)
    with smtp_sink(tls=server) as sink:
        url = f"smtp://mailer%40x:p%40ss%2Fword@127.0.0.1:{sink.port}?tls=starttls"
        SmtpMailer(url, SENDER, tls_context=client).send(a_mail())
    assert sink.sign_ins == [("mailer@x", "p@ss/word")]
    assert sink.over_tls == [True]


def test_a_wrong_password_is_passing_trouble_and_not_told(tmp_path):
    server, client = self_signed(tmp_path)
    with smtp_sink(tls=server) as sink:
        url = f"smtp://mailer:canary-4711@127.0.0.1:{sink.port}?tls=starttls"
        with pytest.raises(MailUnavailableError) as trouble:
            SmtpMailer(url, SENDER, tls_context=client).send(a_mail())
    assert sink.envelopes == []
    assert "canary" not in str(trouble.value)


def test_an_unknown_certificate_gets_no_mail(tmp_path):
    server, _ = self_signed(tmp_path)
    with smtp_sink(tls=server) as sink, pytest.raises(MailUnavailableError):
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}?tls=starttls", SENDER).send(a_mail())
    assert sink.envelopes == []


def test_no_fall_back_to_clear_text():
    with smtp_sink() as sink, pytest.raises(MailUnavailableError, match="STARTTLS"):
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}?tls=starttls", SENDER).send(a_mail())
    assert sink.envelopes == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("550 no such alice@example.com", MailRefusedError),
        ("451 alice@example.com later", MailUnavailableError),
    ],
)
def test_refusals_say_whether_to_try_again_and_name_nobody(command, line, error):
    with smtp_sink(answers={command: line}) as sink, pytest.raises(error, match=line[:3]) as refusal:
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER).send(a_mail())
    assert "alice" not in str(refusal.value)


def test_trouble_after_the_mail_was_taken_does_not_send_it_again():
    with smtp_sink(answers={"QUIT": "421 too tired"}) as sink:
        SmtpMailer(f"smtp://127.0.0.1:{sink.port}", SENDER).send(a_mail())
    assert len(sink.envelopes) == 1


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(MailUnavailableError):
            SmtpMailer(f"smtp://127.0.0.1:{taken.getsockname()[1]}", SENDER).send(a_mail())


def test_a_silent_server_costs_the_timeout_only():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MailUnavailableError):
            SmtpMailer(f"smtp://127.0.0.1:{silent.getsockname()[1]}", SENDER, timeout=0.2).send(a_mail())


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mailpit:1025", SmtpServer("mailpit", 1025, "none", None, None)),
        ("smtp://mailpit", SmtpServer("mailpit", 25, "none", None, None)),
        ("smtps://u:p@mx.example.com", SmtpServer("mx.example.com", 465, "implicit", "u", "p")),
        ("smtp://u:p@mx.example.com?tls=starttls", SmtpServer("mx.example.com", 587, "starttls", "u", "p")),
        ("smtp://u@mx.example.com/?tls=none", SmtpServer("mx.example.com", 25, "none", "u", "")),
    ],
)
def test_urls(url, server):
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://canary@mx.example.com",
        "smtp://",
        "smtp://mx.example.com:canary",
        "smtp://mx.example.com/inbox",
        "smtp://mx.example.com?tls=maybe",
        "smtp://mx.example.com?verify=no",
        "smtps://mx.example.com?tls=starttls",
        "smtp://mailer:canary@mx.example.com",
    ],
)
def test_urls_that_are_refused_without_repeating_them(url):
    with pytest.raises(ValueError, match="SMTP URL") as refusal:
        SmtpServer.parse(url)
    assert "canary" not in str(refusal.value)


def test_a_sender_must_be_an_address():
    with pytest.raises(ValueError, match="not valid"):
        SmtpMailer("smtp://mailpit:1025", "Holdfast")
