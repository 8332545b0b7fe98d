"""The link token: forged and damaged ones are refused, whatever they look like."""

import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.keys import Key, KeyRing, mac
from app.core.mail_codes import MailCodes
from app.registration.models import Registration

RING = KeyRing([Key("k2", bytes(range(32))), Key("k1", bytes(range(32, 64)))])
CODES = MailCodes("hfv1", RING.derive("verify-email-link"), RING.derive("verify-email-code"))
OTHERS = MailCodes("hfv1", KeyRing([Key("k2", b"x" * 32)]), KeyRing([Key("k2", b"y" * 32)]))
ROW = UUID("0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01")


def registration(mails=1, identifier=ROW, key_id="k2"):
    return Registration(id=identifier, key_id=key_id, mails=mails)


TOKEN = CODES.link_token(registration())


def test_a_genuine_token_names_its_registration():
    assert CODES.read_link(TOKEN) == ROW


def test_an_old_key_still_counts_and_a_foreign_one_never_did():
    assert CODES.read_link(CODES.link_token(registration(key_id="k1"))) == ROW
    assert CODES.read_link(OTHERS.link_token(registration())) is None
    assert OTHERS.read_link(TOKEN) is None


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(string.printable))
def test_a_token_with_one_other_character_is_refused(position, character):
    damaged = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert CODES.read_link(damaged) == (ROW if damaged == TOKEN else None)


@given(st.integers(0, len(TOKEN)), st.text(string.printable, min_size=1, max_size=5))
def test_a_token_with_something_put_in_is_refused(position, text):
    assert CODES.read_link(TOKEN[:position] + text + TOKEN[position:]) is None


@given(st.integers(0, len(TOKEN) - 1))
def test_a_token_cut_short_is_refused(length):
    assert CODES.read_link(TOKEN[:length]) is None


@given(st.binary().map(lambda raw: raw.decode(errors="replace")))
def test_any_text_is_refused_without_an_error(text):
    assert CODES.read_link(text) is None
    assert not CODES.matches(registration(), text) or text == CODES.code(registration())


@given(st.uuids(), st.integers(1, 100))
def test_codes_are_six_digits_and_another_set_for_each_mail(identifier, mails):
    row = registration(mails, identifier)
    code = CODES.code(row)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert CODES.matches(row, code)
    assert CODES.code(row) == code


def test_codes_of_many_mails_are_spread():
    seen = {CODES.code(registration(mails)) for mails in range(1, 2001)}
    assert len(seen) > 1990


def test_what_was_made_with_a_retired_key_is_neither_made_again_nor_right():
    """Without a key anybody could compute the code from the row's id."""
    row = registration(key_id="k0")
    guess = str(int.from_bytes(mac(b"", row.id.bytes, b"1"), "big") % 10**6).zfill(6)
    assert not CODES.matches(row, guess)
    for make in (CODES.code, CODES.link_token):
        with pytest.raises(LookupError, match="k0"):
            make(row)
