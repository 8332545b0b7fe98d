"""SEC-14: nobody is locked out of their account by strangers, as long as they were signed in on the device before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.budgets import SignInBudgets
from app.core.ids import new_id
from app.core.keys import Key, KeyRing
from app.core.throttle import Throttle
from app.sessions.devices import DeviceTokens
from app.users.service import UserService
from tests.fixtures.account_states import all_alike, answers_in_every_state, costs_in_every_state
from tests.fixtures.accounts import (
    becomes_a_user,
    coming_from,
    is_refused_for_now,
    refreshes,
    signs_in,
)
from tests.fixtures.client import ApiClient
from tests.fixtures.factors import begins, completes

ALICE = "alice@example.com"
WRONG = "sea otters let go"
NEW_DEVICE = "New sign-in to Holdfast"


@pytest.fixture
def known(anonymous, alice):
    """The device token of a sign-in of Alice's."""
    return signs_in(anonymous, ALICE).json["device_token"]


def strangers_fail(client, times):
    """From so many addresses, each once."""
    return [
        signs_in(
            client, ALICE, WRONG, **coming_from(f"198.51.{number // 250}.{number % 250 + 1}")
        ).status_code
        for number in range(times)
    ]


def test_sec_14_wrong_passwords_from_a_hundred_addresses(make_app, anonymous, alice, known):
    """Ten of them count, all others are refused before they cost anything; Alice comes in at her first try."""
    client = ApiClient(make_app(rate_limit_anonymous="1000000/60"))
    vector = [status for _ in range(2) for status in strangers_fail(client, 100)]
    assert vector == [401] * 10 + [429] * 190
    refused = signs_in(client, ALICE)
    is_refused_for_now(refused, "sign-in-account")
    assert int(refused.headers["Retry-After"]) <= 900
    assert signs_in(client, ALICE, device_token=known).status_code == 200


def test_sec_14_sec_15_beyond_the_ceiling_too(anonymous, alice, known, parts):
    with parts.uow:
        for _ in range(100):
            parts.services[Throttle].count(SignInBudgets.of(parts.settings).ceiling, ALICE)
    is_refused_for_now(signs_in(anonymous, ALICE), "sign-in-ceiling")
    assert signs_in(anonymous, ALICE, device_token=known).status_code == 200
    assert signs_in(anonymous, ALICE).status_code == 200, "a success begins the count anew"


def test_sec_14_a_known_device_has_a_budget_of_its_own(anonymous, alice, known, advance):
    tries = [signs_in(anonymous, ALICE, WRONG, device_token=known).status_code for _ in range(10)]
    assert tries == [401] * 10
    is_refused_for_now(signs_in(anonymous, ALICE, device_token=known), "known-device")
    assert signs_in(anonymous, ALICE).status_code == 200, "what it wasted is not what strangers have"
    advance(hours=1, seconds=1)
    assert signs_in(anonymous, ALICE, device_token=known).status_code == 200


def test_sec_14_the_right_password_costs_nothing_there_either(anonymous, alice, known):
    assert [signs_in(anonymous, ALICE, device_token=known).status_code for _ in range(12)] == [200] * 12


def test_sec_14_many_at_once_do_not_slip_through(app, alice, known, at_once):
    answers = at_once(
        14, lambda _number: signs_in(ApiClient(app), ALICE, WRONG, device_token=known).status_code
    )
    assert answers.count(401) <= 10
    assert set(answers) <= {401, 429, 503}


def exhausted(client):
    """Alice's name from this address has no try left."""
    while signs_in(client, ALICE, WRONG).status_code != 429:
        pass


def test_sec_14_a_worthless_token_changes_nothing(app, anonymous, alice, bob, known):
    others = signs_in(anonymous, bob.email).json["device_token"]
    worthless = {
        "of somebody else": others,
        "of another key": DeviceTokens(KeyRing([Key("k1", b"x" * 32)])).make(alice.user),
        "of an unknown key": known.replace(".k1.", ".k9."),
        "cut": known[:-1],
        "longer": known + "A",
        "a refresh token": alice.refresh_token,
        "of the next epoch": known.replace(".0.", ".1."),
        "words": "let me in",
        "empty": "",
    }
    exhausted(anonymous)
    for name, token in worthless.items():
        is_refused_for_now(signs_in(anonymous, ALICE, device_token=token), "sign-in-account-address"), name
    assert signs_in(anonymous, ALICE, device_token=known).status_code == 200


def test_sec_14_wrong_tokens_are_answered_as_none_is(app, in_every_state, anonymous):
    """The same bytes in every state of the address, and the same as without one."""

    def with_a_token(client, email, **options):
        return signs_in(client, email, WRONG, device_token="hfd1.k1.AAAA.AAAA.0.AAAA", **options)

    def without(client, email, **options):
        return signs_in(client, email, WRONG, **options)

    assert all_alike(answers_in_every_state(app, with_a_token)) == all_alike(
        answers_in_every_state(app, without)
    )


def test_sec_12_a_token_costs_every_state_the_same_work(app, in_every_state, count_queries, hashes):
    stranger = DeviceTokens(KeyRing([Key("k1", b"x" * 32)]))

    def with_a_token(client, email, **options):
        user = type("Somebody", (), {"id": new_id(), "device_epoch": 0})
        return signs_in(client, email, WRONG, device_token=stranger.make(user), **options)

    bcrypts, statements = all_alike(costs_in_every_state(app, with_a_token, count_queries, hashes))
    assert bcrypts == 2
    assert statements


def test_sec_14_a_token_of_an_account_that_is_gone_tells_nothing(anonymous, alice, known, sql):
    sql("DELETE FROM users")
    assert signs_in(anonymous, ALICE, device_token=known).json["code"] == "invalid_credentials"


def test_sec_14_another_password_makes_strangers_of_all_devices(anonymous, alice, known, parts):
    parts.services[UserService].forget_devices(alice.user.id)
    exhausted(anonymous)
    is_refused_for_now(signs_in(anonymous, ALICE, device_token=known), "sign-in-account-address")


def test_sec_14_tokens_outlive_their_session_and_a_new_key(make_app, anonymous, alice, known, settings):
    alice.delete("/auth/sessions")
    ring = settings.secret_keys.get_secret_value()
    app = make_app(secret_keys="k2:" + "bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQ=" + "," + ring)
    answer = signs_in(ApiClient(app), ALICE, device_token=known)
    assert answer.json["device_token"].startswith("hfd1.k2.")


def test_a_device_keeps_its_name_from_sign_in_to_sign_in(anonymous, alice, known):
    again = signs_in(anonymous, ALICE, device_token=known).json["device_token"]
    assert again == known
    assert signs_in(anonymous, ALICE).json["device_token"] != known


def test_who_did_not_sign_in_keeps_the_one_they_have(anonymous, alice, known):
    assert refreshes(anonymous, alice.refresh_token).json["device_token"] is None


def test_a_new_device_is_told_by_mail_and_a_known_one_is_not(anonymous, alice, letters):
    token = signs_in(anonymous, ALICE, device="Alice's phone").json["device_token"]
    [mail] = letters(ALICE)
    assert mail.subject == NEW_DEVICE
    assert "Alice's phone" in mail.text
    signs_in(anonymous, ALICE, device_token=token)
    assert len(letters(ALICE)) == 1
    signs_in(anonymous, ALICE, device_token="hfd1.k1.AAAA.AAAA.0.AAAA")
    assert len(letters(ALICE)) == 2


def test_the_first_session_after_registering_is_no_news(anonymous, letters):
    signed_in = becomes_a_user(anonymous, letters)
    assert signed_in["device_token"].startswith("hfd1.")
    email = signed_in["user"]["email"]
    signs_in(anonymous, email, device_token=signed_in["device_token"])
    assert NEW_DEVICE not in [mail.subject for mail in letters(email)]


def test_with_a_second_factor_the_device_is_told_after_the_second_step(anonymous, alice, enrols, letters):
    phone = enrols(alice)
    token = begins(anonymous, ALICE)
    assert NEW_DEVICE not in [mail.subject for mail in letters(ALICE)]
    first = completes(anonymous, token, phone.recovery_codes[0], "recovery_code").json["device_token"]
    assert [mail.subject for mail in letters(ALICE)].count(NEW_DEVICE) == 1
    token = begins(anonymous, ALICE, device_token=first)
    again = completes(anonymous, token, phone.recovery_codes[1], "recovery_code").json["device_token"]
    assert again == first
    assert [mail.subject for mail in letters(ALICE)].count(NEW_DEVICE) == 1


@given(st.text(max_size=200) | st.from_regex(r"hfd1(\.[A-Za-z0-9_-]{0,30}){3,6}", fullmatch=True))
def test_sec_23_no_text_is_a_device_token(text):
    assert DeviceTokens(KeyRing([Key("k1", b"x" * 32)])).read(text) is None
