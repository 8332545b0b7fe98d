"""Whoever stole a session, and not the password, cannot guess it in there without end (SEC-15)."""

from tests.fixtures.accounts import code_of, is_refused_for_now, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.factors import steps_up
from tests.fixtures.people import PASSWORD

QUIET = {"rate_limit_mfa_account": "1000/300", "rate_limit_mfa_account_hour": "1000/3600",
         "rate_limit_mfa_account_day": "1000/86400", "rate_limit_mfa_address": "1000/300",
         "rate_limit_mfa_address_hour": "1000/3600"}  # fmt: skip


def two_sessions(make_app, alice):
    """Where a ceiling of ten comes before all other budgets."""
    app = make_app(**QUIET, sign_in_failure_ceiling=10)
    return alice.signs_in_again(app), alice.signs_in_again(app)


def fails(person, times):
    return [code_of(steps_up(person, "password", password="not this one at all")) for _ in range(times)]


def test_sec_15_after_so_many_failures_in_a_row_a_session_proves_nothing_by_password(make_app, alice):
    thief, _owner = two_sessions(make_app, alice)
    assert fails(thief, 10) == [(401, "invalid_credentials")] * 10
    is_refused_for_now(steps_up(thief, "password", password=PASSWORD), "step-up-ceiling")


def test_sec_15_neither_the_owners_other_session_nor_signing_in_is_touched(make_app, alice):
    thief, owner = two_sessions(make_app, alice)
    fails(thief, 11)
    assert steps_up(owner, "password", password=PASSWORD).status_code == 200
    assert signs_in(ApiClient(owner.app), alice.email).status_code == 200


def test_sec_15_a_right_password_begins_the_count_anew(make_app, alice):
    owner, _other = two_sessions(make_app, alice)
    fails(owner, 9)
    answer = steps_up(owner, "password", password=PASSWORD)
    owner.token = answer.json["access_token"]
    assert fails(owner, 9) == [(401, "invalid_credentials")] * 9
