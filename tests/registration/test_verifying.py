"""verifyEmail: proving the address by the mail's link or code; this makes the account and signs in."""

import pytest

from tests.fixtures.accounts import (
    DANA,
    NO_LIMITS,
    asks_who_it_is,
    code_of,
    registers,
    registers_and_reads_mail,
    signs_in,
    verifies,
)
from tests.fixtures.client import ApiClient

OTHER = "erin@example.com"
GONE = (410, "token_expired_or_used")
WRONG = (422, "invalid_code")


def a_wrong_code(mail):
    return f"{(int(mail.code) + 1) % 1_000_000:06}"


@pytest.fixture
def mail(anonymous, letters):
    return registers_and_reads_mail(anonymous, letters)


@pytest.mark.parametrize("way", ["link", "code"])
def test_a_proof_makes_the_account_and_signs_in(anonymous, mail, sql, way):
    proof = {"token": mail.token} if way == "link" else {"email": DANA, "code": mail.code}
    response = verifies(anonymous, **proof)
    assert response.status_code == 200
    signed_in = response.json
    assert (signed_in["status"], signed_in["token_type"], signed_in["expires_in"]) == (
        "signed_in",
        "Bearer",
        600,
    )
    user = signed_in["user"]
    assert (user["email"], user["display_name"], user["email_verified"]) == (DANA, "Dana", True)
    assert (user["role"], user["status"], user["has_password"], user["version"]) == (
        "user",
        "active",
        True,
        1,
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert asks_who_it_is(anonymous, signed_in["access_token"]).json == user
    assert signs_in(anonymous, DANA).status_code == 200
    assert sql("SELECT count(*) FROM registrations") == [(0,)]
    assert sql("SELECT kind FROM audit_events WHERE kind = 'email.verified'")
    assert sql("SELECT kind FROM events WHERE kind IN ('user.created', 'user.signed_in') LIMIT 2")


def test_the_cookie_transport_is_kept_to(anonymous, mail):
    response = verifies(anonymous, token=mail.token, transport="cookie")
    assert response.json["refresh_token"] is None
    assert response.headers["Set-Cookie"].startswith("refresh_token=hfr1.")


@pytest.mark.parametrize("way", ["link", "code"])
def test_a_proof_counts_once(anonymous, mail, way):
    proof = {"token": mail.token} if way == "link" else {"email": DANA, "code": mail.code}
    assert verifies(anonymous, **proof).status_code == 200
    assert code_of(verifies(anonymous, **proof)) == (GONE if way == "link" else WRONG)


def test_one_link_in_twenty_hands_makes_one_account(app, mail, at_once, sql):
    answers = at_once(8, lambda _number: code_of(verifies(ApiClient(app), token=mail.token)))
    assert sorted(answers) == [(200, None)] + [GONE] * 7
    assert sql("SELECT count(*) FROM users") == [(1,)]
    assert sql("SELECT count(*) FROM sessions") == [(1,)]


def test_two_mails_of_one_address_answered_at_once_make_one_account(app, anonymous, letters, at_once, sql):
    mails = [registers_and_reads_mail(anonymous, letters) for _ in range(2)]
    answers = at_once(2, lambda number: code_of(verifies(ApiClient(app), token=mails[number].token)))
    assert sorted(answers) == [(200, None), GONE]
    assert sql("SELECT count(*) FROM users") == [(1,)]


def test_a_code_lives_ten_minutes_and_a_link_a_day(anonymous, mail, advance):
    advance(minutes=9, seconds=55)
    assert code_of(verifies(anonymous, email=DANA, code=a_wrong_code(mail))) == WRONG
    advance(seconds=6)
    assert code_of(verifies(anonymous, email=DANA, code=mail.code)) == WRONG
    advance(hours=23, minutes=49)
    assert verifies(anonymous, token=mail.token).status_code == 200


def test_a_link_of_yesterday_has_expired(anonymous, mail, advance):
    advance(days=1, seconds=1)
    assert code_of(verifies(anonymous, token=mail.token)) == GONE


def test_the_code_still_counts_just_before_its_end(anonymous, mail, advance):
    advance(minutes=9, seconds=55)
    assert verifies(anonymous, email=DANA, code=mail.code).status_code == 200


def test_after_five_wrong_tries_the_right_code_is_gone_sec_34(anonymous, mail):
    for _ in range(5):
        assert code_of(verifies(anonymous, email=DANA, code=a_wrong_code(mail))) == WRONG
    assert code_of(verifies(anonymous, email=DANA, code=mail.code)) == GONE
    assert verifies(anonymous, token=mail.token).status_code == 200


def test_the_fifth_try_may_be_the_right_one(anonymous, mail):
    for _ in range(4):
        assert code_of(verifies(anonymous, email=DANA, code=a_wrong_code(mail))) == WRONG
    assert verifies(anonymous, email=DANA, code=mail.code).status_code == 200


def test_fifty_tries_at_once_compare_five_codes_at_most_sec_34(make_app, mail, at_once, monkeypatch):
    from app.core.mail_codes import MailCodes

    compared, real = [], MailCodes.matches
    monkeypatch.setattr(MailCodes, "matches", lambda *args: (compared.append(1), real(*args))[1])
    app = make_app(**NO_LIMITS, rate_limit_verify_address="100000/300")
    tries = at_once(
        10, lambda _n: [code_of(verifies(ApiClient(app), email=DANA, code="000000")) for _ in range(2)]
    )
    assert len(compared) <= 5
    assert sorted(answer for each in tries for answer in each) == [GONE] * 15 + [WRONG] * 5


def test_a_code_is_worth_nothing_for_another_address(anonymous, mail, letters):
    registers(anonymous, OTHER)
    assert code_of(verifies(anonymous, email=OTHER, code=mail.code)) == WRONG


def test_the_address_may_be_spelled_otherwise(anonymous, mail):
    assert verifies(anonymous, email=f" {DANA.upper()} ", code=mail.code).status_code == 200


@pytest.mark.parametrize(
    ("proof", "faults"),
    [
        ({}, {"email": "required", "code": "required"}),
        ({"email": DANA}, {"code": "required"}),
        ({"code": "123456"}, {"email": "required"}),
        ({"token": "t", "code": "123456"}, {"code": "unknown_field"}),
        ({"email": DANA, "code": "1234567"}, {"code": "too_long"}),
        ({"email": DANA, "code": "12345"}, {"code": "invalid_format"}),
        ({"email": DANA, "code": "12345\n"}, {"code": "invalid_format"}),
        ({"email": DANA, "code": "\u0661\u0662\u0663\u0664\u0665\u0666"}, {"code": "invalid_format"}),
        ({"token": "t" * 501}, {"token": "too_long"}),
    ],
)
def test_half_a_proof_is_no_proof(anonymous, proof, faults):
    response = verifies(anonymous, **proof)
    assert code_of(response) == (422, "validation_failed")
    assert {fault["field"]: fault["code"] for fault in response.json["errors"]} == faults


def test_a_wrong_code_names_its_field(anonymous, mail):
    response = verifies(anonymous, email=DANA, code=a_wrong_code(mail))
    assert [fault["field"] for fault in response.json["errors"]] == ["code"]
