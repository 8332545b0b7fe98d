"""resetPassword: by the mail's link or code (SEC-34)."""

import pytest

from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.people import PASSWORD
from tests.fixtures.resets import NEW, a_wrong_code, asks_for_reset, changes_password, resets

GONE = (410, "token_expired_or_used")
WRONG = (422, "invalid_code")


def proof_by(way, mail):
    return {"token": mail.token} if way == "link" else {"email": mail.to, "code": mail.code}


@pytest.fixture(params=["link", "code"])
def way(request):
    return request.param


@pytest.fixture
def mail(alice, reset_mail):
    return reset_mail()


def test_sec_34_a_proof_sets_the_password_and_signs_nobody_in(anonymous, alice, mail, way):
    answer = resets(anonymous, **proof_by(way, mail))
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert signs_in(anonymous, alice.email, NEW).status_code == 200
    assert code_of(signs_in(anonymous, alice.email, PASSWORD)) == (401, "invalid_credentials")


def test_sec_34_all_sessions_end(anonymous, alice, reset_mail, way):
    other = alice.signs_in_again()
    mail = reset_mail()
    assert asks_who_it_is(anonymous, other.token).status_code == 200
    assert resets(anonymous, **proof_by(way, mail)).status_code == 204
    assert [code_of(each.get("/me")) for each in (alice, other)] == [(401, "session_revoked")] * 2


def test_sec_34_a_proof_counts_once(anonymous, mail, way):
    assert resets(anonymous, **proof_by(way, mail)).status_code == 204
    again = code_of(resets(anonymous, password=f"{NEW} once more", **proof_by(way, mail)))
    assert again == (GONE if way == "link" else WRONG)
    assert signs_in(anonymous, mail.to, NEW).status_code == 200


def test_sec_34_link_and_code_of_one_mail_are_one_use(anonymous, mail):
    assert resets(anonymous, token=mail.token).status_code == 204
    assert code_of(resets(anonymous, email=mail.to, code=mail.code)) == WRONG


def test_sec_34_one_proof_in_many_hands_resets_once(app, mail, way, at_once, sql):
    answers = at_once(
        4, lambda number: code_of(resets(ApiClient(app), password=f"{NEW} {number}", **proof_by(way, mail)))
    )
    assert [answer[0] for answer in answers].count(204) == 1
    assert set(answers) <= {(204, None), GONE, WRONG, (503, "overloaded")}
    winner = answers.index((204, None))
    assert signs_in(ApiClient(app), mail.to, f"{NEW} {winner}").status_code == 200
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'password.reset'") == [(1,)]


def test_sec_34_a_newer_mail_makes_the_older_one_void(anonymous, mail, reset_mail, way):
    newer = reset_mail()
    assert code_of(resets(anonymous, **proof_by(way, mail))) == (GONE if way == "link" else WRONG)
    assert resets(anonymous, **proof_by(way, newer)).status_code == 204


def test_sec_34_two_asked_for_at_once_leave_one(app, alice, letters, at_once, anonymous):
    at_once(2, lambda _number: asks_for_reset(ApiClient(app)).status_code)
    mails = [mail for mail in letters(alice.email) if mail.kind == "reset_password"]
    answers = [resets(anonymous, token=mail.token).status_code for mail in mails]
    assert answers.count(204) == 1


def test_sec_34_signing_in_makes_it_void(anonymous, alice, mail, way, advance):
    advance(seconds=1)
    assert signs_in(anonymous, alice.email).status_code == 200
    assert code_of(resets(anonymous, **proof_by(way, mail))) == GONE


def test_sec_34_changing_the_password_makes_it_void(anonymous, alice, mail, way):
    assert changes_password(alice, new="the third sea, the third song").status_code == 204
    assert code_of(resets(anonymous, **proof_by(way, mail))) == (GONE if way == "link" else WRONG)


def test_sec_34_a_link_lives_half_an_hour_and_a_code_ten_minutes(anonymous, mail, advance):
    advance(minutes=10, seconds=1)
    assert code_of(resets(anonymous, email=mail.to, code=mail.code)) == WRONG
    advance(minutes=19, seconds=50)
    assert resets(anonymous, token=mail.token).status_code == 204


def test_sec_34_after_half_an_hour_nothing_counts(anonymous, mail, advance, way):
    advance(minutes=30, seconds=1)
    assert code_of(resets(anonymous, **proof_by(way, mail))) == (GONE if way == "link" else WRONG)


def test_sec_34_after_five_wrong_tries_the_right_code_is_gone(anonymous, mail):
    for _ in range(5):
        assert code_of(resets(anonymous, email=mail.to, code=a_wrong_code(mail))) == WRONG
    assert code_of(resets(anonymous, email=mail.to, code=mail.code)) == GONE
    assert resets(anonymous, token=mail.token).status_code == 204


def test_sec_34_the_fifth_try_may_be_the_right_one(anonymous, mail):
    for _ in range(4):
        assert code_of(resets(anonymous, email=mail.to, code=a_wrong_code(mail))) == WRONG
    assert resets(anonymous, email=mail.to, code=mail.code).status_code == 204


def test_sec_34_many_tries_at_once_compare_five_codes_at_most(app, mail, at_once, monkeypatch):
    from app.core.mail_codes import MailCodes

    compared, real = [], MailCodes.matches
    monkeypatch.setattr(MailCodes, "matches", lambda *args: (compared.append(1), real(*args))[1])
    wrong = a_wrong_code(mail)
    answers = at_once(12, lambda _n: code_of(resets(ApiClient(app), email=mail.to, code=wrong)))
    assert len(compared) <= 5
    assert sorted(answers) == [GONE] * 7 + [WRONG] * 5


def test_a_right_code_with_a_weak_password_may_be_typed_again(anonymous, mail):
    for _ in range(7):
        weak = resets(anonymous, password="alice@example.com", email=mail.to, code=mail.code)
        assert code_of(weak) == (422, "validation_failed")
    assert resets(anonymous, email=mail.to, code=mail.code).status_code == 204


def test_a_link_with_a_weak_password_stays_good(anonymous, mail):
    """The name of the person is known by the link alone, and refused after it was read."""
    for weak, code in (("short", "too_short"), ("alice alice alice", "password_contains_context")):
        answer = resets(anonymous, password=weak, token=mail.token)
        assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [("password", code)]
    assert resets(anonymous, token=mail.token).status_code == 204


def test_sec_15_a_reset_opens_an_address_that_failed_too_often(anonymous, alice, mail, parts):
    from app.auth.budgets import SignInBudgets
    from app.core.throttle import Throttle

    budgets = SignInBudgets.of(parts.settings)
    with parts.uow:
        for _ in range(100):
            parts.services[Throttle].count(budgets.ceiling, alice.email)
    assert signs_in(anonymous, alice.email).status_code == 429
    assert resets(anonymous, token=mail.token).status_code == 204
    assert signs_in(anonymous, alice.email, NEW).status_code == 200


def test_sec_14_known_devices_are_strangers_again(anonymous, mail, sql):
    resets(anonymous, token=mail.token)
    assert sql("SELECT device_epoch FROM users") == [(1,)]


def test_the_owner_is_told(anonymous, mail, letters):
    resets(anonymous, token=mail.token)
    notice = next(each for each in letters(mail.to) if each.kind == "security_notice")
    assert "password was reset" in notice.subject


def test_sec_34_the_second_factor_is_not_skipped(anonymous, bob, enrols, reset_mail):
    """Resetting proves the mailbox, not the second factor: signing in still asks for it."""
    enrols(bob)
    assert resets(anonymous, token=reset_mail(bob.email).token).status_code == 204
    answer = signs_in(anonymous, bob.email, NEW)
    assert (answer.status_code, answer.json["status"]) == (200, "mfa_required")
    assert "access_token" not in answer.json


def test_an_account_without_a_password_gets_one_this_way(anonymous, alice, sql, reset_mail):
    sql("UPDATE users SET password_hash = NULL")
    assert resets(anonymous, token=reset_mail().token).status_code == 204
    assert signs_in(anonymous, alice.email, NEW).status_code == 200


def test_a_suspended_account_stays_suspended(anonymous, alice, sql, reset_mail):
    sql("UPDATE users SET status = 'suspended'")
    assert resets(anonymous, token=reset_mail().token).status_code == 204
    assert code_of(signs_in(anonymous, alice.email, NEW)) == (403, "account_suspended")


@pytest.mark.parametrize(
    "token", ["", "hfp1", "hfp1.k1.x.y", "hfp1.k9.AZelsHweemCcLz87ihwKAg.AAAA", "\u00e9" * 9]
)
def test_a_token_that_nobody_was_sent_is_refused(anonymous, token):
    assert resets(anonymous, token=token).status_code in {410, 422}


def test_a_code_is_worth_nothing_for_another_address(anonymous, mail, bob, reset_mail):
    reset_mail(bob.email)
    assert code_of(resets(anonymous, email=bob.email, code=mail.code)) == WRONG


@pytest.mark.parametrize(
    ("proof", "faults"),
    [
        ({}, {"email": "required", "code": "required"}),
        ({"email": "alice@example.com"}, {"code": "required"}),
        ({"token": "t", "code": "123456"}, {"code": "unknown_field"}),
        ({"token": "t" * 501}, {"token": "too_long"}),
    ],
)
def test_half_a_proof_is_no_proof(anonymous, proof, faults):
    answer = resets(anonymous, **proof)
    assert code_of(answer) == (422, "validation_failed")
    assert {fault["field"]: fault["code"] for fault in answer.json["errors"]} == faults


def test_sec_16_one_network_may_not_try_proofs_without_end(make_app, mail):
    client = ApiClient(make_app(rate_limit_verify_address="3/300"))
    assert [resets(client, token="hfp1.k1.x.y").status_code for _ in range(3)] == [410] * 3
    assert resets(client, token=mail.token).status_code == 429


def test_refresh_tokens_of_before_are_worth_nothing(anonymous, alice, mail):
    resets(anonymous, token=mail.token)
    assert refreshes(anonymous, alice.refresh_token).status_code == 401
