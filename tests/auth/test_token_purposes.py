"""SEC-23: a token made for one purpose counts nowhere else; each purpose has a key of its own."""

import itertools

import pytest

from app.core.keys import PURPOSES, KeyRing
from tests.fixtures.accounts import DANA, asks_who_it_is, code_of, refreshes, registers, verifies

PLACES = {
    "access-token": asks_who_it_is,
    "refresh-token": refreshes,
    "verify-email-link": lambda client, token: verifies(client, token=token),
    "verify-email-code": lambda client, token: verifies(client, email=DANA, code=token),
    "cursor": lambda client, token: client.get("/projects", query_string={"limit": 1, "cursor": token}),
    "throttle": None,
}
"""Where a token of each purpose is taken; ``None`` for a purpose whose values never leave the service."""

REFUSALS = {
    "access-token": {(401, "token_invalid")},
    "refresh-token": {(401, "refresh_invalid"), (422, "validation_failed")},
    "verify-email-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "verify-email-code": {(422, "invalid_code"), (422, "validation_failed")},
    "cursor": {(422, "invalid_cursor"), (422, "validation_failed")},
}


@pytest.fixture
def tokens(anonymous, alice, letters):
    """One live token of each purpose."""
    registers(anonymous)
    [mail] = letters(DANA)
    for name in ("Kelp", "Reef"):
        alice.creates(name)
    return {
        "access-token": alice.token,
        "refresh-token": alice.refresh_token,
        "verify-email-link": mail.token,
        "verify-email-code": mail.code,
        "cursor": alice.get("/projects?limit=1").json["next_cursor"],
        "throttle": None,
    }


def caller_at(place, alice, anonymous):
    """Cursors are taken from somebody signed in; everything else speaks for itself."""
    return alice if place == "cursor" else anonymous


def test_sec_23_every_purpose_is_in_the_matrix():
    """A new purpose without a place (or a reason to have none) fails here."""
    assert set(PLACES) == set(PURPOSES)
    assert set(REFUSALS) == {purpose for purpose, place in PLACES.items() if place}


def test_sec_23_a_token_is_refused_at_every_other_place(anonymous, alice, tokens):
    assert set(tokens) == set(PURPOSES)
    tried = 0
    for purpose, place in itertools.permutations(PURPOSES, 2):
        if tokens[purpose] is None or PLACES[place] is None:
            continue
        answer = PLACES[place](caller_at(place, alice, anonymous), tokens[purpose])
        assert code_of(answer) in REFUSALS[place], f"{purpose} at {place} answered {answer.status_code}"
        tried += 1
    assert tried == 20


@pytest.mark.parametrize("purpose", [purpose for purpose, place in PLACES.items() if place])
def test_sec_23_and_taken_at_its_own(anonymous, alice, tokens, purpose):
    answer = PLACES[purpose](caller_at(purpose, alice, anonymous), tokens[purpose])
    assert answer.status_code == 200


def test_sec_23_no_two_purposes_share_a_key(settings):
    ring = KeyRing.parse(settings.secret_keys.get_secret_value())
    keys = [ring.derive(purpose).first.secret for purpose in PURPOSES]
    assert len({ring.first.secret, *keys}) == len(PURPOSES) + 1
    assert all(len(key) == 32 for key in keys)


def test_sec_23_an_undeclared_purpose_has_no_key(settings):
    ring = KeyRing.parse(settings.secret_keys.get_secret_value())
    with pytest.raises(ValueError, match="not a declared purpose"):
        ring.derive("download-link")


def test_sec_23_secrets_peppers_and_signing_keys_are_apart(settings):
    rings = [
        KeyRing.parse(getattr(settings, name).get_secret_value())
        for name in ("secret_keys", "password_peppers", "signing_keys")
    ]
    assert len({ring.first.secret for ring in rings}) == 3
