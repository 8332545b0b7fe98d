"""SEC-23: a token made for one purpose counts nowhere else; each purpose has a key of its own."""

import itertools

import pytest

from app.core.keys import PURPOSES, KeyRing
from tests.fixtures.accounts import (
    DANA,
    asks_who_it_is,
    code_of,
    coming_from,
    refreshes,
    registers,
    signs_in,
    verifies,
)
from tests.fixtures.email_changes import asks_for_address, confirms, objects
from tests.fixtures.factors import begins, completes
from tests.fixtures.invitations import invites, link_of
from tests.fixtures.people import make_person
from tests.fixtures.resets import asks_for_reset, resets


def enters_past_strangers(client, token):
    """Alice signs in while somebody keeps failing in her name: only the token of a device she was on gets past."""
    while signs_in(client, "alice@example.com", "sea otters let go").status_code != 429:
        pass
    return signs_in(client, "alice@example.com", device_token=token)


PLACES = {
    "access-token": asks_who_it_is,
    "refresh-token": lambda client, token: refreshes(client, token, **coming_from("203.0.113.5")),
    "verify-email-link": lambda client, token: verifies(client, token=token),
    "verify-email-code": lambda client, token: verifies(client, email=DANA, code=token),
    "cursor": lambda client, token: client.get("/projects", query_string={"limit": 1, "cursor": token}),
    "throttle": None,
    "mfa-token": lambda client, token: completes(client, token, client.paper, "recovery_code"),
    "device-token": enters_past_strangers,
    "totp-secret": None,
    "reset-password-link": lambda client, token: resets(
        client, token=token, options=coming_from("203.0.113.1")
    ),
    "reset-password-code": lambda client, token: resets(
        client, email="charlie@example.com", code=token, options=coming_from("203.0.113.2")
    ),
    "email-change-link": lambda client, token: client.post(
        "/auth/confirm-email-change", json={"token": token}, **coming_from("203.0.113.7")
    ),
    "email-change-code": lambda client, token: confirms(client.charlie, code=token),
    "cancel-email-change-link": objects,
    "restore-account-link": lambda client, token: client.post(
        "/auth/restore-account", json={"token": token}, **coming_from("203.0.113.3")
    ),
    "invitation-link": lambda client, token: client.post(
        "/invitations/preview", json={"token": token}, **coming_from("203.0.113.4")
    ),
    "file-url": lambda client, token: client.get(
        "/files/content", query_string={"token": token}, **coming_from("203.0.113.6")
    ),
}
"""Where a token of each purpose is taken; ``None`` for a purpose whose values never leave the service."""

REFUSALS = {
    "access-token": {(401, "token_invalid")},
    "refresh-token": {(401, "refresh_invalid"), (422, "validation_failed")},
    "verify-email-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "verify-email-code": {(422, "invalid_code"), (422, "validation_failed")},
    "cursor": {(422, "invalid_cursor"), (422, "validation_failed")},
    "mfa-token": {(401, "mfa_token_invalid"), (422, "validation_failed")},
    "device-token": {(429, "rate_limited"), (422, "validation_failed")},
    "reset-password-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "reset-password-code": {(422, "invalid_code"), (422, "validation_failed")},
    "email-change-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "email-change-code": {(422, "invalid_code"), (422, "validation_failed")},
    "cancel-email-change-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "restore-account-link": {(410, "token_expired_or_used"), (422, "validation_failed")},
    "invitation-link": {(410, "invitation_closed"), (422, "validation_failed")},
    "file-url": {(404, "not_found"), (422, "validation_failed")},
}


@pytest.fixture
def tokens(anonymous, alice, bob, charlie, letters, enrols):
    """One live token of each purpose."""
    anonymous.charlie = charlie
    asks_for_reset(anonymous, charlie.email)
    asks_for_address(charlie, "charlie@reef.example")
    by_kind = {mail.kind: mail for mail in letters(charlie.email)}
    reset, told, [change] = by_kind["reset_password"], by_kind["old_address"], letters("charlie@reef.example")
    leaving = make_person(alice.app, "Erin")
    assert leaving.delete("/me").status_code == 202
    [farewell] = letters(leaving.email)
    anonymous.paper = enrols(bob).recovery_codes[0]
    alice.token = refreshes(anonymous, alice.refresh_token).json["access_token"]
    registers(anonymous)
    [mail] = letters(DANA)
    for name in ("Kelp", "Reef"):
        invites(alice, alice.creates(name), "frank@example.com")
    return {
        "access-token": alice.token,
        "refresh-token": alice.refresh_token,
        "verify-email-link": mail.token,
        "verify-email-code": mail.code,
        "cursor": alice.get("/projects?limit=1").json["next_cursor"],
        "throttle": None,
        "mfa-token": begins(anonymous, bob.email),
        "device-token": signs_in(anonymous, alice.email).json["device_token"],
        "totp-secret": None,
        "reset-password-link": reset.token,
        "reset-password-code": reset.code,
        "email-change-link": change.token,
        "email-change-code": change.code,
        "cancel-email-change-link": told.token,
        "restore-account-link": farewell.token,
        "invitation-link": link_of(letters, "frank@example.com"),
        "file-url": alice.uploads(alice.creates()).json["content_url"].partition("token=")[2],
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
    sent, taken = {each for each in tokens if tokens[each]}, {each for each in PLACES if PLACES[each]}
    assert tried == len(sent) * len(taken) - len(sent & taken)


@pytest.mark.parametrize("purpose", [purpose for purpose, place in PLACES.items() if place])
def test_sec_23_and_taken_at_its_own(anonymous, alice, tokens, purpose):
    answer = PLACES[purpose](caller_at(purpose, alice, anonymous), tokens[purpose])
    assert answer.status_code in {200, 204}


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
