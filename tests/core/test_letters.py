"""What every mail about an act says: whose name, whose clock, from where; and where its link leads."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.config import Settings
from app.core.letters import Letters, Scene

AT = datetime(2026, 11, 22, 13, 53, tzinfo=UTC)


@dataclass
class Person:
    email: str = "alice@example.com"
    display_name: str = "Alice"
    time_zone: str | None = "Europe/Lisbon"


class Postman:
    def __init__(self):
        self.sent = []

    def send(self, mail):
        self.sent.append(mail)


@pytest.fixture
def mailbox():
    return Postman()


@pytest.fixture
def letters(mailbox):
    return Letters(mailbox, Settings(product_name="Kelp", link_base_url="https://app.example.com"))


def the_mail(mailbox):
    (mail,) = mailbox.sent
    return mail


def test_times_are_told_in_the_persons_zone(letters, mailbox):
    letters.send(
        "address_taken", Person(time_zone="Asia/Tokyo"), Scene("Firefox on Linux", "203.0.113.0", AT)
    )
    mail = the_mail(mailbox)
    assert (mail.to, mail.subject) == ("alice@example.com", "Your address at Kelp")
    assert "Hello Alice" in mail.text
    assert "22:53" in mail.text


def test_what_nobody_knows_is_said_so(letters, mailbox):
    letters.send("address_taken", Person(time_zone=None), Scene(None, None, AT))
    text = the_mail(mailbox).text
    assert "an unknown device" in text
    assert "an unknown network" in text
    assert "13:53 UTC" in text


def test_a_link_leads_to_the_page_and_may_go_to_another_address(letters, mailbox):
    letters.send_link(
        "account_deletion",
        Person(),
        Scene("Firefox on Linux", "203.0.113.0", AT),
        "restore-account",
        "hfd1.k1.secret",
        to="alice@reef.example",
        deleted_on="6 December 2026",
    )
    mail = the_mail(mailbox)
    assert mail.to == "alice@reef.example"
    assert "https://app.example.com/restore-account#token=hfd1.k1.secret" in mail.text
    assert mail.token == "hfd1.k1.secret"


def test_a_kind_that_lacks_something_is_told_what(letters, mailbox):
    with pytest.raises(TypeError, match="missing \\['deleted_on'\\]"):
        letters.send_link("account_deletion", Person(), Scene(None, None, AT), "restore-account", "token")
    assert mailbox.sent == []
