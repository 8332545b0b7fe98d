"""When two spellings of an address are one (SEC-13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.users.emails import email_key


@pytest.mark.parametrize(
    "spelling",
    [
        "alice@example.com",
        "ALICE@EXAMPLE.COM",
        " alice@example.com\n",
        "\uff41\uff4c\uff49\uff43\uff45@example.com",
        "Alice@Example.Com",
        "alice@example\u3002com",
        "alice@exam\ufe0fple.com",
        "alice@e\u034fxample.com",
    ],
)
def test_spellings_of_one_address(spelling):
    assert email_key(spelling) == "alice@example.com"


@pytest.mark.parametrize(
    "other", ["alice+1@example.com", "al.ice@example.com", "alice@example.org", "bob@example.com"]
)
def test_other_addresses(other):
    assert email_key(other) != "alice@example.com"


def test_a_domain_of_other_letters_in_both_its_forms():
    assert email_key("Alice@ex\u00e4mple.com") == email_key("alice@xn--exmple-cua.com")


def test_what_is_no_address_is_compared_as_text():
    assert email_key("\u00c4lice") == "\u00e4lice"


@given(st.binary().map(lambda raw: raw.decode(errors="replace")))
def test_a_key_is_its_own_key(text):
    assert email_key(email_key(text).upper()) == email_key(email_key(text)) or not text.isascii()
    assert email_key(f" {text} ") == email_key(text)
