"""Challenge tokens: whatever is sent in place of one is none, and none is right for another purpose."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.passkeys.challenges import BYTES, PREFIX, read_token
from app.passkeys.models import Purpose
from app.passkeys.service import PasskeyService
from tests.fixtures.authenticator import b64
from tests.fixtures.properties import quick

ALPHABET = string.ascii_letters + string.digits + "-_"


@quick
@given(st.binary(min_size=BYTES, max_size=BYTES))
def test_a_token_is_read_as_it_was_written(secret):
    assert read_token(f"{PREFIX}.{b64(secret)}") == secret


@quick
@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text):
    assert read_token(text) is None or text == f"{PREFIX}.{b64(read_token(text))}"


@quick
@given(st.text(ALPHABET + ".=+/ \n\u0661", max_size=60))
def test_what_looks_like_a_token_is_one_in_one_spelling_only(rest):
    secret = read_token(f"{PREFIX}.{rest}")
    assert secret is None or (len(secret) == BYTES and b64(secret) == rest)


@quick
@given(st.binary(max_size=80).filter(lambda data: len(data) != BYTES))
def test_a_secret_of_another_length_is_none(secret):
    assert read_token(f"{PREFIX}.{b64(secret)}") is None


@quick
@given(st.binary(min_size=BYTES, max_size=BYTES), st.integers(0, 42), st.sampled_from(ALPHABET))
def test_another_letter_is_another_secret_or_none(secret, place, letter):
    text = b64(secret)
    changed = text[:place] + letter + text[place + 1 :]
    assert (read_token(f"{PREFIX}.{changed}") == secret) == (changed == text)


@pytest.fixture
def challenges(parts):
    return parts.services[PasskeyService]._challenges


@pytest.mark.parametrize("purpose", list(Purpose))
def test_sec_23_a_challenge_counts_for_its_purpose_alone(challenges, alice, purpose):
    token, _ = challenges.issue(purpose, user=alice.user.id)
    assert challenges.take(token, set(Purpose) - {purpose}) is None
    assert challenges.take(token, {purpose}).user_id == alice.user.id
    assert challenges.take(token, {purpose}) is None


def test_one_challenge_is_taken_once(challenges, at_once):
    token, _ = challenges.issue(Purpose.sign_in)
    taken = at_once(12, lambda _number: challenges.take(token, {Purpose.sign_in}))
    assert sum(each is not None for each in taken) == 1


def test_looking_takes_nothing(challenges, advance):
    token, challenge = challenges.issue(Purpose.sign_in)
    assert challenges.find(token).challenge == challenge
    assert challenges.find(token) is not None
    assert challenges.find("kelp") is None
    advance(minutes=5)
    assert challenges.find(token) is None
