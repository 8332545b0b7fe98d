"""Refresh tokens that we did not make, or that changed on the way, are refused and harm nobody (SEC-18)."""

import string
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.keys import Key, KeyRing
from app.sessions.models import Session
from app.sessions.tokens import RefreshTokens
from tests.fixtures.accounts import NO_LIMITS, code_of, refreshes
from tests.fixtures.client import ApiClient

RING = KeyRing([Key("k2", b"2" * 32), Key("k1", b"1" * 32)])
TOKENS = RefreshTokens(RING)
SESSION = Session(id=UUID("0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"), mac_key=b"m" * 32, counter=12)
TOKEN = TOKENS.make(SESSION)
AT_HTTP = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def counts(text, mac_key=SESSION.mac_key):
    presented = TOKENS.read(text)
    return presented is not None and TOKENS.genuine(presented, mac_key)


def test_a_genuine_token_is_read_back():
    presented = TOKENS.read(TOKEN)
    assert (presented.key_id, presented.session_id, presented.counter) == ("k2", SESSION.id, 12)
    assert len(presented.tag) == 32
    assert counts(TOKEN)


def test_a_token_made_under_the_former_key_still_counts():
    assert counts(RefreshTokens(KeyRing([Key("k1", b"1" * 32)])).make(SESSION))
    assert not counts(RefreshTokens(KeyRing([Key("k3", b"3" * 32)])).make(SESSION))
    assert not counts(RefreshTokens(KeyRing([Key("k2", b"9" * 32)])).make(SESSION))


def test_neither_ring_nor_row_alone_makes_a_token():
    assert not counts(TOKEN, mac_key=b"x" * 32)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(string.printable))
def test_one_other_character_is_enough(position, character):
    damaged = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert counts(damaged) == (damaged == TOKEN)


@given(st.integers(0, len(TOKEN)), st.text(string.printable, min_size=1, max_size=3))
def test_anything_put_in_is_enough(position, text):
    assert not counts(TOKEN[:position] + text + TOKEN[position:])


@given(st.integers(0, len(TOKEN) - 1))
def test_cut_short_is_enough(length):
    assert not counts(TOKEN[:length])


@given(st.integers(0, 10**9))
def test_no_other_generation_can_be_claimed(counter):
    parts = TOKEN.split(".")
    assert counts(".".join([*parts[:3], str(counter), parts[4]])) == (counter == 12)


@given(st.binary().map(lambda raw: raw.decode(errors="replace")))
def test_any_text_is_refused_without_an_error(text):
    assert not counts(text)


def test_zeros_in_front_of_the_generation_make_another_token():
    parts = TOKEN.split(".")
    assert not counts(".".join([*parts[:3], "012", parts[4]]))


@pytest.fixture
def client(make_app, alice):
    app = make_app(**NO_LIMITS, rate_limit_refresh_failures="100000/300")
    return ApiClient(app)


@AT_HTTP
@given(data=st.data())
def test_over_http_a_damaged_token_is_401_and_the_session_lives_on(client, alice, data):
    token = alice.refresh_token
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from([each for each in string.printable if each != token[position]]))
    answer = refreshes(client, token[:position] + letter + token[position + 1 :])
    assert code_of(answer) in {(401, "refresh_invalid"), (422, "validation_failed")}
    assert client.app.extensions["holdfast"].session_check.check(alice.session_id, alice.user.id, 1)


def test_over_http_forgeries_of_a_stranger(client, alice, charlie, sql):
    hers, his = alice.refresh_token.split("."), charlie.refresh_token.split(".")
    forgeries = [
        ".".join([*hers[:4], his[4]]),  # his MAC on her session
        ".".join([*his[:2], hers[2], *his[3:]]),
        ".".join([*hers[:3], "2", hers[4]]),
        ".".join([hers[0], "k9", *hers[2:]]),
        ".".join([*hers[:4], ""]),
        "",
        " ",
        "a" * 300,
    ]
    for forged in forgeries:
        assert code_of(refreshes(client, forged)) == (401, "refresh_invalid"), forged
    for too_long in ("a" * 301, alice.token):
        assert code_of(refreshes(client, too_long)) == (422, "validation_failed")
    assert sql("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == [(2,)]
    assert refreshes(client, alice.refresh_token).status_code == 200


@pytest.mark.parametrize(
    "body", [{"refresh_token": 7}, {"refresh_token": ["x"]}, {"refresh_token": "x", "scope": "all"}]
)
def test_over_http_what_is_no_text_is_422(client, body):
    assert code_of(client.post("/auth/refresh", json=body)) == (422, "validation_failed")


def test_a_token_of_a_session_that_was_swept_is_invalid(client, alice, sql):
    sql("DELETE FROM sessions")
    assert code_of(refreshes(client, alice.refresh_token)) == (401, "refresh_invalid")
