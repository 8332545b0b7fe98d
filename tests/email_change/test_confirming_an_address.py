"""confirmEmailChange and cancelEmailChange: the new address proves itself, the old one may object (SEC-35)."""

import pytest

from tests.fixtures.accounts import code_of, refreshes, registers, signs_in, verifies
from tests.fixtures.client import ApiClient
from tests.fixtures.email_changes import NEW_ADDRESS, address_of, asks_for_address, confirms, objects
from tests.fixtures.resets import a_wrong_code, asks_for_reset, resets

OLD = "alice@example.com"
GONE = (410, "token_expired_or_used")
WRONG = (422, "invalid_code")


@pytest.mark.parametrize("way", ["link", "code"])
def test_sec_35_the_proof_makes_the_address_the_accounts(anonymous, alice, asked, way, sql):
    confirm, _told = asked(alice)
    answer = confirms(anonymous, token=confirm.token) if way == "link" else confirms(alice, code=confirm.code)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert address_of(alice) == (NEW_ADDRESS, None)
    assert signs_in(anonymous, NEW_ADDRESS).status_code == 200
    assert code_of(signs_in(anonymous, OLD)) == (401, "invalid_credentials")
    assert sql("SELECT subject_id = actor_id, changes FROM events WHERE kind = 'user.email_changed'") == [
        (True, {})
    ]


def test_sec_35_both_addresses_are_told_that_it_happened(anonymous, alice, asked, letters, parts):
    confirm, _told = asked(alice)
    parts.mailbox.clear()
    confirms(anonymous, token=confirm.token)
    assert [mail.kind for mail in letters(NEW_ADDRESS)] == ["security_notice"]
    [told] = letters(OLD)
    assert (told.kind, "was changed" in told.subject) == ("old_address", True)
    assert objects(anonymous, told.token).status_code == 204


@pytest.mark.parametrize("way", ["link", "code"])
def test_sec_35_a_proof_counts_once(anonymous, alice, asked, way):
    confirm, _told = asked(alice)
    proof = {"token": confirm.token} if way == "link" else {"code": confirm.code}
    assert confirms(alice, **proof).status_code == 204
    assert code_of(confirms(alice, **proof)) == (GONE if way == "link" else WRONG)


def test_sec_35_one_link_in_many_hands_changes_once(app, alice, asked, at_once, sql):
    confirm, _told = asked(alice)
    answers = at_once(8, lambda _number: code_of(confirms(ApiClient(app), token=confirm.token)))
    assert sorted(answers, key=str) == [(204, None)] + [GONE] * 7
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.email_changed'") == [(1,)]


def test_sec_35_of_two_accounts_that_claim_one_address_one_wins(app, alice, bob, letters, at_once, sql):
    for person in (alice, bob):
        assert asks_for_address(person).status_code == 202
    mails = [mail for mail in letters(NEW_ADDRESS) if mail.kind == "confirm_email_change"]
    answers = at_once(2, lambda number: code_of(confirms(ApiClient(app), token=mails[number].token)))
    assert sorted(answers, key=str) == [(204, None), GONE]
    assert sql("SELECT count(*) FROM users WHERE email_key = %s", (NEW_ADDRESS,)) == [(1,)]
    assert sql("SELECT count(*) FROM users") == [(2,)]


def test_sec_35_the_loser_has_nothing_pending_any_more(anonymous, alice, bob, letters):
    for person in (alice, bob):
        asks_for_address(person)
    bobs, alices = [mail for mail in letters(NEW_ADDRESS) if mail.kind == "confirm_email_change"]
    assert confirms(anonymous, token=bobs.token).status_code == 204
    assert code_of(confirms(anonymous, token=alices.token)) == GONE
    assert address_of(alice) == (OLD, None)
    assert address_of(bob) == (NEW_ADDRESS, None)


def test_sec_35_of_a_change_and_a_registration_one_wins(app, anonymous, alice, asked, letters, at_once, sql):
    confirm, _told = asked(alice)
    registers(anonymous, NEW_ADDRESS, name="Other")
    verify = next(mail for mail in letters(NEW_ADDRESS) if mail.kind == "verify_email")
    work = [
        lambda: confirms(ApiClient(app), token=confirm.token),
        lambda: verifies(ApiClient(app), token=verify.token),
    ]
    answers = sorted(answer.status_code for answer in at_once(2, lambda number: work[number]()))
    assert answers in ([204, 410], [200, 410])
    assert sql("SELECT count(*) FROM users WHERE email_key = %s", (NEW_ADDRESS,)) == [(1,)]


def test_a_code_needs_its_owners_session(anonymous, alice, bob, asked):
    confirm, _told = asked(alice)
    assert code_of(confirms(anonymous, code=confirm.code)) == (401, "not_authenticated")
    assert code_of(confirms(bob, code=confirm.code)) == WRONG
    assert code_of(confirms(ApiClient(alice.app, alice.token + "x"), code=confirm.code)) == (
        401,
        "token_invalid",
    )
    assert address_of(alice) == (OLD, NEW_ADDRESS)


def test_sec_34_after_five_wrong_tries_the_right_code_is_gone(anonymous, alice, asked):
    confirm, _told = asked(alice)
    for _ in range(5):
        assert code_of(confirms(alice, code=a_wrong_code(confirm))) == WRONG
    assert code_of(confirms(alice, code=confirm.code)) == GONE
    assert confirms(anonymous, token=confirm.token).status_code == 204


def test_a_code_lives_ten_minutes_and_a_link_a_day(anonymous, alice, asked, advance):
    confirm, _told = asked(alice)
    advance(minutes=10, seconds=1)
    alice = alice.signs_in_again()
    assert code_of(confirms(alice, code=confirm.code)) == WRONG
    advance(hours=23, minutes=49)
    assert confirms(anonymous, token=confirm.token).status_code == 204


def test_after_a_day_nothing_confirms_and_the_sweep_clears_what_is_shown(
    anonymous, alice, asked, advance, parts
):
    from app.email_change.service import EmailChangeService

    confirm, told = asked(alice)
    advance(days=1, seconds=1)
    assert code_of(confirms(anonymous, token=confirm.token)) == GONE
    parts.services[EmailChangeService].sweep()
    assert address_of(alice.signs_in_again()) == (OLD, None)
    assert objects(anonymous, told.token).status_code == 204, "objecting is possible for 72 hours"


def test_the_sweep_leaves_a_newer_wish_alone(alice, asked, advance, parts, sql):
    from app.email_change.service import EmailChangeService

    asked(alice)
    advance(hours=23)
    alice = alice.signs_in_again()
    asked(alice)
    sql("UPDATE email_changes SET voided_at = NULL")
    advance(hours=1, minutes=1)
    parts.services[EmailChangeService].sweep()
    assert address_of(alice.signs_in_again()) == (OLD, NEW_ADDRESS)


def test_rows_go_when_nothing_can_be_cancelled_any_more(alice, asked, advance, parts, sql):
    from app.email_change.service import EmailChangeService

    asked(alice)
    advance(hours=71)
    assert parts.services[EmailChangeService].sweep() == 0
    advance(hours=1, seconds=1)
    assert parts.services[EmailChangeService].sweep() == 1
    assert sql("SELECT count(*) FROM email_changes") == [(0,)]


def test_sec_34_waiting_resets_are_void_after_the_change(anonymous, alice, asked, letters):
    confirm, _told = asked(alice)
    asks_for_reset(anonymous)
    mail = next(each for each in letters(OLD) if each.kind == "reset_password")
    assert confirms(anonymous, token=confirm.token).status_code == 204
    assert code_of(resets(anonymous, token=mail.token)) == GONE


def test_sec_35_the_old_address_stops_a_change_that_waits(anonymous, alice, asked):
    confirm, told = asked(alice)
    assert objects(anonymous, told.token).status_code == 204
    assert address_of(alice) == (OLD, None)
    assert code_of(confirms(anonymous, token=confirm.token)) == GONE
    late = objects(anonymous, told.token)
    assert code_of(late) == GONE
    assert "new mail" not in late.json["detail"]  # this one cannot be asked for again


def test_sec_35_the_old_address_undoes_a_change_that_happened(anonymous, alice, asked, letters):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    asks_for_reset(anonymous, NEW_ADDRESS)
    thiefs = next(each for each in letters(NEW_ADDRESS) if each.kind == "reset_password")
    assert objects(anonymous, told.token).status_code == 204
    assert code_of(alice.get("/me")) == (401, "session_revoked")
    assert refreshes(anonymous, alice.refresh_token).status_code == 401
    assert code_of(resets(anonymous, token=thiefs.token)) == GONE
    assert code_of(signs_in(anonymous, NEW_ADDRESS)) == (401, "invalid_credentials")


def test_sec_35_undoing_goes_back_over_later_changes_and_takes_their_links_along(anonymous, alice, asked):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    second, thiefs = asked(alice, "alice@kelp.example")
    confirms(anonymous, token=second.token)
    assert objects(anonymous, told.token).status_code == 204
    assert address_of(alice.signs_in_again()) == (OLD, None)
    assert code_of(objects(anonymous, thiefs.token)) == GONE
    assert address_of(alice.signs_in_again()) == (OLD, None)


@pytest.mark.parametrize("happened", [False, True])
def test_sec_35_objecting_is_possible_for_72_hours(anonymous, alice, asked, advance, happened):
    confirm, told = asked(alice)
    advance(hours=20)
    if happened:
        confirms(anonymous, token=confirm.token)
    advance(hours=51, minutes=59)
    if happened:  # the change began the hours anew
        advance(hours=20)
    assert objects(anonymous, told.token).status_code == 204


def test_sec_35_and_not_longer(anonymous, alice, asked, advance):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    advance(hours=72, seconds=1)
    assert code_of(objects(anonymous, told.token)) == GONE
    assert address_of(alice.signs_in_again()) == (NEW_ADDRESS, None)


def test_sec_35_a_changed_password_does_not_take_the_old_addresss_right_away(anonymous, alice, asked, sql):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    body = {"current_password": alice.password, "new_password": "the thief sets another one"}
    assert alice.post("/me/password", json=body).status_code == 204
    assert objects(anonymous, told.token).status_code == 204
    assert sql("SELECT email FROM users") == [(OLD,)]


def test_sec_35_of_confirming_and_objecting_at_once_the_old_address_wins(app, alice, asked, at_once, sql):
    confirm, told = asked(alice)
    work = [
        lambda: confirms(ApiClient(app), token=confirm.token),
        lambda: objects(ApiClient(app), told.token),
    ]
    answers = at_once(2, lambda number: code_of(work[number]()))
    assert answers[1] == (204, None)
    assert answers[0] in {(204, None), GONE}
    assert sql("SELECT email, pending_email FROM users") == [(OLD, None)]


def test_sec_35_one_cancel_link_in_many_hands_counts_once(app, alice, asked, at_once):
    confirm, told = asked(alice)
    confirms(ApiClient(app), token=confirm.token)
    answers = at_once(6, lambda _number: code_of(objects(ApiClient(app), told.token)))
    assert sorted(answers, key=str) == [(204, None)] + [GONE] * 5


def test_an_old_address_that_somebody_has_by_now_is_not_taken_back(anonymous, alice, asked, sql, app):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    sql(
        "INSERT INTO users (id, email, email_key, display_name, role, status, mfa_enabled, version, created_at,"
        " updated_at) SELECT gen_random_uuid(), %s, %s, 'Other', 'user', 'active', false, 1, created_at, created_at"
        " FROM users",
        (OLD, OLD),
    )
    assert code_of(objects(anonymous, told.token)) == GONE
    assert address_of(alice) == (NEW_ADDRESS, None)


@pytest.mark.parametrize("status", ["suspended", "deletion_scheduled"])
def test_an_account_that_is_suspended_or_leaving_keeps_its_address(anonymous, alice, asked, sql, status):
    confirm, _told = asked(alice)
    sql("UPDATE users SET status = %s", (status,))
    assert code_of(confirms(anonymous, token=confirm.token)) == GONE
    assert sql("SELECT email FROM users") == [(OLD,)]


def test_links_of_one_kind_do_not_do_the_others_work(anonymous, alice, asked):
    confirm, told = asked(alice)
    assert code_of(objects(anonymous, confirm.token)) == GONE
    assert code_of(confirms(anonymous, token=told.token)) == GONE


@pytest.mark.parametrize(
    ("body", "faults"),
    [({}, {"code", "token"}), ({"token": "t", "code": "1"}, {"code"}), ({"code": "1234567"}, {"code"})],
)
def test_half_a_proof_is_no_proof(alice, body, faults):
    answer = alice.post("/auth/confirm-email-change", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert {fault["field"] for fault in answer.json["errors"]} == faults
