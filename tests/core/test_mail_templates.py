"""Each mail in both shapes, and what a stranger's words must not do in one."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from app.core.mail_templates import KINDS, duration, mail_link, moment, render, spoken

AT = datetime(2026, 11, 22, 13, 53, tzinfo=UTC)
SCENE = {"display_name": "Alice", "device": "Firefox 140.0 on Linux", "place": "203.0.113.0", "at": AT}
LINK = mail_link("https://app.example.com", "verify-email", "hfv1.k1.secret")
PROOF = {
    **SCENE,
    "link": LINK,
    "token": "hfv1.k1.secret",
    "code": "482913",
    "link_lives": timedelta(hours=24),
    "code_lives": timedelta(minutes=10),
}
CONTEXTS = {
    "verify_email": PROOF,
    "reset_password": PROOF,
    "choose_password": PROOF,
    "confirm_email_change": PROOF,
    "old_address": {
        **{name: value for name, value in PROOF.items() if not name.startswith("code")},
        "subject_of_notice": "Your Kelp & Co address was changed",
        "told": "your account has another address now.",
        "new_address": "alice@ reef. example",
    },
    "account_deletion": {
        **SCENE,
        "link": LINK,
        "token": "hfv1.k1.secret",
        "deleted_on": "6 December 2026, 13:53 UTC",
    },
    "export_ready": {**SCENE, "good_until": "29 November 2026, 13:53 UTC"},
    "address_taken": SCENE,
    "invitation": {
        "inviter": "Alice",
        "project_name": "Reef survey",
        "role": "editor",
        "good_until": "29 November 2026, 13:53 UTC",
        "link": LINK,
        "token": "hfv1.k1.secret",
    },
    "project_transferred": {**SCENE, "project_name": "Reef survey", "giver": "Bob"},
    "file_quarantined": {
        "display_name": "Alice",
        "file_name": "north wall 2026",
        "project_name": "Reef survey",
    },
    "already_registered": SCENE,
    "session_reused": SCENE,
    "security_notice": {
        **SCENE,
        "subject_of_notice": "Your Kelp & Co password was changed",
        "told": "the password of your account was changed.",
        "advice": "Was that not you? Reset your password at once.",
    },
    "test": {"server": "http://127.0.0.1:8000", "at": AT},
}


def a_mail(kind, **changes):
    names = {"to", "product_name", "time_zone"}
    options = {name: value for name, value in changes.items() if name in names}
    context = {name: value for name, value in changes.items() if name not in names}
    return render(kind, **{"to": "alice@example.com", **options}, **{**CONTEXTS[kind], **context})


class Reader(HTMLParser):
    """Reads HTML as a person would: the words, the links, the tags."""

    def __init__(self, html):
        super().__init__()
        self.words, self.links, self.tags, self._style = "", [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._style = tag == "style"
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        self.words += "" if self._style else data


def test_every_kind_is_tested():
    assert CONTEXTS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_both_shapes_say_the_same(kind):
    mail = a_mail(kind)
    page = Reader(mail.html)
    assert mail.kind == kind
    assert mail.to in mail.text
    assert mail.to in page.words
    for name, value in CONTEXTS[kind].items():
        told = {
            "at": "22 November 2026, 13:53 UTC",
            "link_lives": "24 hours",
            "code_lives": "10 minutes",
        }.get(name, value)
        assert told in (mail.subject if name == "subject_of_notice" else mail.text), name
        assert told in page.words or told in page.links or name == "token", name


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_from_anywhere(kind):
    page = Reader(a_mail(kind).html)
    assert not {"img", "script", "link", "iframe", "form"} & set(page.tags)
    assert page.links == ([LINK] if "link" in CONTEXTS[kind] else [])
    assert "url(" not in a_mail(kind).html


@pytest.mark.parametrize("kind", KINDS)
def test_subjects_are_short_and_hold_no_code(kind):
    mail = a_mail(kind, product_name="Kelp & Co")
    assert "Kelp & Co" in mail.subject, "a notice brings its own"
    assert len(mail.subject) <= 60
    assert "482913" not in mail.subject
    assert "Kelp &amp; Co" in mail.html
    assert "Kelp & Co" in mail.text


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_plain_and_tidy(kind):
    text = a_mail(kind).text
    assert "<" not in text
    assert "\n\n\n" not in text
    assert all(len(line) <= 100 or line.startswith("http") for line in text.splitlines())


def test_the_mail_carries_what_the_mailbox_shows():
    mail = a_mail("verify_email")
    assert (mail.code, mail.token, mail.link) == ("482913", "hfv1.k1.secret", LINK)
    assert LINK == "https://app.example.com/verify-email#token=hfv1.k1.secret"
    other = a_mail("already_registered")
    assert (other.code, other.token, other.link) == (None, None, None)


@pytest.mark.parametrize("field", ["display_name", "device"])
@pytest.mark.parametrize("kind", ["verify_email", "already_registered", "session_reused"])
def test_a_hostile_name_stays_a_name(kind, field):
    """Somebody may register with your address and a name of their choice: no markup, no link, no lines of theirs."""
    hostile = '</p><script>alert(1)</script><a href="https://evil.example">x\r\n\r\nYou won! evil.example'
    mail = a_mail(kind, **{field: hostile})
    page = Reader(mail.html)
    assert "script" not in page.tags
    assert page.tags == Reader(a_mail(kind).html).tags
    assert "evil.example" not in mail.text + mail.html
    assert "https://" not in mail.text.replace(LINK, "")
    assert len(mail.text.splitlines()) == len(a_mail(kind).text.splitlines())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice", "Alice"),
        ("  Alice \t\n Smith ", "Alice Smith"),
        ("J.R. Smith", "J. R. Smith"),
        ("Firefox 140.0 on iOS 19.2", "Firefox 140.0 on iOS 19.2"),
        ("https://evil.example/x", "https: //evil. example/x"),
        ("evil\u3002example", "evil. example"),
        ("evil\uff0eexample", "evil. example"),
        ("www.e\u200bvil.example", "www. e vil. example"),
        ("bob@evil.example", "bob@ evil. example"),
        ("\u202egnirts", "gnirts"),
        ("\x00\x1b", "(no name)"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_spoken(name, shown):
    assert spoken(name) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "22 November 2026, 13:53 UTC"),
        ("Europe/Berlin", "22 November 2026, 14:53 CET"),
        ("America/Sao_Paulo", "22 November 2026, 10:53 UTC-03"),
    ],
)
def test_times_are_told_in_the_persons_zone(zone, shown):
    assert shown in a_mail("session_reused", time_zone=zone).text


def test_moment_and_duration():
    assert [duration(timedelta(minutes=m)) for m in (10, 1, 60, 90, 1440, 2880, 0)] == [
        "10 minutes", "1 minute", "1 hour", "90 minutes", "24 hours", "2 days", "less than a minute",
    ]  # fmt: skip
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d \w+", moment(AT, AT.tzinfo))


def test_what_is_missing_or_too_much_is_named():
    with pytest.raises(TypeError, match=r"missing \['code'\]"):
        render("verify_email", to="a@x", **{k: v for k, v in CONTEXTS["verify_email"].items() if k != "code"})
    with pytest.raises(TypeError, match=r"not known \['colour'\]"):
        a_mail("test", colour="green")
    with pytest.raises(KeyError):
        render("greeting", to="a@x")
