"""changeEmail: nothing changes before the new address is proved, and the old one is told (SEC-35)."""

import json

import pytest

from tests.fixtures.accounts import as_bytes, code_of, coming_from, is_refused_for_now, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.email_changes import NEW_ADDRESS, address_of, asks_for_address, confirms
from tests.fixtures.resets import changes_password, resets

OLD = "alice@example.com"


def test_sec_35_the_address_stays_until_the_new_one_is_proved(anonymous, alice):
    answer = asks_for_address(alice)
    assert answer.status_code == 202
    assert answer.json == {"status": "confirmation_required", "email": NEW_ADDRESS, "resend_after": 60}
    assert address_of(alice) == (OLD, NEW_ADDRESS)
    assert signs_in(anonymous, OLD).status_code == 200
    assert code_of(signs_in(anonymous, NEW_ADDRESS)) == (401, "invalid_credentials")


def test_sec_35_both_addresses_get_a_mail(alice, asked):
    confirm, told = asked(alice)
    assert (confirm.to, told.to) == (NEW_ADDRESS, OLD)
    assert confirm.link == f"http://localhost:8000/confirm-email-change#token={confirm.token}"
    assert told.link == f"http://localhost:8000/cancel-email-change#token={told.token}"
    assert told.code is None
    assert confirm.code in confirm.text


def test_sec_35_sec_29_only_who_proved_their_identity_a_moment_ago_may(alice, sql, parts):
    sql("UPDATE sessions SET authenticated_at = authenticated_at - interval '15 minutes 1 second'")
    parts.engines.cache.clear()
    refused = asks_for_address(alice)
    assert code_of(refused) == (403, "step_up_required")
    assert address_of(alice) == (OLD, None)


def test_sec_35_a_taken_address_is_answered_alike_and_its_owner_is_told(app, alice, bob, letters):
    same = {"X-Request-ID": "the-same-request-id"}
    taken = asks_for_address(alice, bob.email, headers=same)
    kinds = [mail.kind for mail in letters(bob.email)]
    shown = address_of(alice)
    free = asks_for_address(alice, "bab@example.com", headers=same)
    assert as_bytes(taken)[:2] == as_bytes(free)[:2]
    assert taken.json == {**free.json, "email": bob.email}
    assert shown == (OLD, bob.email)
    assert kinds == ["address_taken"]
    [mail] = [each for each in letters(bob.email) if each.kind == "address_taken"]
    assert (mail.code, mail.token, mail.link) == (None, None, None)
    assert OLD not in mail.text, "who wanted it is not told either"


def test_sec_35_nothing_confirms_a_taken_address(anonymous, alice, bob, parts, sql):
    """Not even the link and the code that its row would have."""
    from uuid import UUID

    from app.core.keys import KeyRing
    from app.core.mail_codes import MailCodes
    from app.email_change.models import EmailChange

    asks_for_address(alice, bob.email)
    [(identifier,)] = sql("SELECT id FROM email_changes")
    ring = KeyRing.parse(parts.settings.secret_keys.get_secret_value())
    codes = MailCodes("hfe1", ring.derive("email-change-link"), ring.derive("email-change-code"))
    sql(
        "UPDATE users SET email = 'gone@example.com', email_key = 'gone@example.com' WHERE email = %s",
        (bob.email,),
    )
    for mails in (0, 1):
        row = EmailChange(id=UUID(identifier), key_id="k1", mails=mails)
        assert code_of(confirms(anonymous, token=codes.link_token(row))) == (410, "token_expired_or_used")
        assert code_of(confirms(alice, code=codes.code(row))) == (422, "invalid_code")
    assert address_of(alice)[0] == OLD


def test_the_same_address_is_no_change(alice):
    answer = asks_for_address(alice, OLD)
    assert code_of(answer) == (422, "validation_failed")
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        ("email", "invalid_choice")
    ]


def test_another_spelling_of_the_own_address_is_not_taken(alice, asked, anonymous):
    confirm, _told = asked(alice, "Alice@Example.com")
    assert confirms(anonymous, token=confirm.token).status_code == 204
    assert address_of(alice) == ("Alice@Example.com", None)


def test_a_newer_wish_replaces_the_older_one(anonymous, alice, asked):
    first, _told = asked(alice)
    second, _told = asked(alice, "alice@kelp.example")
    assert address_of(alice) == (OLD, "alice@kelp.example")
    assert code_of(confirms(anonymous, token=first.token)) == (410, "token_expired_or_used")
    assert confirms(anonymous, token=second.token).status_code == 204


def test_of_two_wishes_for_one_address_the_newer_mail_counts(anonymous, alice, asked):
    first, _told = asked(alice)
    second, _told = asked(alice)
    assert first.token != second.token
    assert code_of(confirms(anonymous, token=first.token)) == (410, "token_expired_or_used")
    assert confirms(anonymous, token=second.token).status_code == 204


def test_giving_up(anonymous, alice, asked):
    confirm, _told = asked(alice)
    for _ in range(2):
        assert alice.delete("/me/email").status_code == 204
    assert address_of(alice) == (OLD, None)
    assert code_of(confirms(anonymous, token=confirm.token)) == (410, "token_expired_or_used")


def test_sec_35_a_changed_password_ends_it(anonymous, alice, asked):
    confirm, _told = asked(alice)
    assert changes_password(alice).status_code == 204
    assert address_of(alice) == (OLD, None)
    assert code_of(confirms(anonymous, token=confirm.token)) == (410, "token_expired_or_used")


def test_sec_35_a_reset_password_ends_it(anonymous, alice, asked, letters):
    confirm, _told = asked(alice)
    anonymous.post("/auth/forgot-password", json={"email": OLD})
    mail = next(each for each in letters(OLD) if each.kind == "reset_password")
    assert resets(anonymous, token=mail.token).status_code == 204
    assert code_of(confirms(anonymous, token=confirm.token)) == (410, "token_expired_or_used")
    assert address_of(alice.signs_in_again()) == (OLD, None)


def test_a_wish_that_ended_does_not_come_back_with_the_next_for_the_same_address(anonymous, alice, asked):
    before, _told = asked(alice)
    changes_password(alice)
    asks_for_address(alice)
    assert code_of(confirms(anonymous, token=before.token)) == (410, "token_expired_or_used")


def test_sec_16_five_in_five_minutes_for_an_account(alice, advance):
    wishes = [asks_for_address(alice, f"alice{number}@reef.example").status_code for number in range(5)]
    assert wishes == [202] * 5
    is_refused_for_now(asks_for_address(alice, "alice9@reef.example"), "email-change-account")
    advance(minutes=5, seconds=1)
    assert asks_for_address(alice, "alice9@reef.example").status_code == 202


def test_sec_16_twenty_an_hour_from_one_network(make_app, alice):
    client = ApiClient(make_app(rate_limit_email_change_account="100/300"), alice.token)
    at = coming_from("203.0.113.5")
    wishes = [asks_for_address(client, f"a{number}@reef.example", **at).status_code for number in range(20)]
    assert wishes == [202] * 20
    is_refused_for_now(asks_for_address(client, "b@reef.example", **at), "email-change-address")


def test_sec_16_nobody_floods_a_strangers_mailbox(make_app, alice, bob):
    app = make_app(rate_limit_email_change_account="100/300")
    people = [ApiClient(app, alice.token), ApiClient(app, bob.token)]
    assert [asks_for_address(people[number % 2]).status_code for number in range(5)] == [202] * 5
    is_refused_for_now(asks_for_address(people[1]), "verification-mail")


def test_sec_34_neither_links_nor_codes_are_stored_or_queued(alice, sql, letters):
    asks_for_address(alice)
    queue = json.dumps(sql("SELECT args FROM procrastinate_jobs"))
    confirm, told = letters(NEW_ADDRESS)[0], letters(OLD)[0]
    rows = str(sql("SELECT t::text FROM email_changes t")) + str(sql("SELECT t::text FROM audit_events t"))
    for secret in (confirm.token, confirm.code, told.token, told.token.rpartition(".")[2]):
        assert secret not in queue
        assert secret not in rows
    assert NEW_ADDRESS not in queue


@pytest.mark.parametrize("address", ["", "alice", "alice@localhost", "a" * 250 + "@x.example", None, 5])
def test_what_is_no_address_is_refused(alice, address):
    assert code_of(asks_for_address(alice, address)) == (422, "validation_failed")
