"""changePassword: by whoever knows the current one (SEC-06)."""

import itertools

import pytest

from app.core.passwords import PasswordHasher
from tests.fixtures.accounts import code_of, coming_from, is_refused_for_now, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.hashing import full
from tests.fixtures.people import PASSWORD
from tests.fixtures.resets import NEW, changes_password, resets

WRONG = "sea otters let go"


def test_sec_06_the_new_password_counts_and_the_old_one_no_longer(anonymous, alice):
    answer = changes_password(alice)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert signs_in(anonymous, alice.email, NEW).status_code == 200
    assert code_of(signs_in(anonymous, alice.email, PASSWORD)) == (401, "invalid_credentials")


def test_sec_06_other_sessions_end_and_this_one_goes_on(alice, sql):
    others = [alice.signs_in_again() for _ in range(2)]
    assert all(other.get("/me").status_code == 200 for other in others)
    assert changes_password(alice).status_code == 204
    assert [code_of(other.get("/me")) for other in others] == [(401, "session_revoked")] * 2
    assert alice.get("/me").status_code == 200
    assert sql("SELECT DISTINCT revoked_reason FROM sessions WHERE revoked_at IS NOT NULL") == [
        ("password.changed",)
    ]


def test_sec_06_sec_34_reset_mails_that_wait_are_void(anonymous, alice, reset_mail):
    mail = reset_mail()
    assert changes_password(alice).status_code == 204
    assert code_of(resets(anonymous, token=mail.token)) == (410, "token_expired_or_used")
    assert code_of(resets(anonymous, email=alice.email, code=mail.code)) == (422, "invalid_code")


def test_sec_06_the_owner_is_told_by_mail(alice, letters, sql):
    changes_password(alice)
    [mail] = letters(alice.email)
    assert (mail.kind, "password was changed" in mail.subject) == ("security_notice", True)
    assert PASSWORD not in mail.text
    assert NEW not in mail.text
    assert sql("SELECT kind, user_id = actor_id FROM audit_events WHERE kind LIKE 'password%%'") == [
        ("password.changed", True)
    ]


def test_sec_14_known_devices_are_strangers_again(alice, sql):
    changes_password(alice)
    assert sql("SELECT device_epoch FROM users") == [(1,)]


def test_a_wrong_current_password_names_its_field_and_changes_nothing(anonymous, alice, sql):
    before = sql("SELECT * FROM users")
    other = alice.signs_in_again()
    answer = changes_password(alice, WRONG)
    assert code_of(answer) == (422, "invalid_credentials")
    assert [fault["field"] for fault in answer.json["errors"]] == ["current_password"]
    assert "WWW-Authenticate" not in answer.headers
    assert sql("SELECT * FROM users") == before
    assert other.get("/me").status_code == 200


def test_sec_13_a_stolen_session_cannot_guess(anonymous, alice):
    """The budget is that of signing in: five for an account and a network."""
    at = coming_from("203.0.113.5")
    assert [changes_password(alice, WRONG, **at).status_code for _ in range(5)] == [422] * 5
    is_refused_for_now(changes_password(alice, **at), "sign-in-account-address")
    is_refused_for_now(signs_in(anonymous, alice.email, **at), "sign-in-account-address")


def test_sec_15_such_guesses_count_towards_the_ceiling(alice, parts):
    from app.auth.budgets import SignInBudgets
    from app.core.throttle import Throttle

    ceiling = SignInBudgets.of(parts.settings).ceiling
    throttle = parts.services[Throttle]
    changes_password(alice, WRONG)
    assert throttle.peek(ceiling, alice.email).hits == 1
    with parts.uow:
        for _ in range(99):
            throttle.count(ceiling, alice.email)
    is_refused_for_now(changes_password(alice), "sign-in-ceiling")


def test_sec_13_being_turned_away_while_busy_is_no_failure(anonymous, alice, parts):
    at = coming_from("203.0.113.5")
    with full(parts.services[PasswordHasher]):
        assert [code_of(changes_password(alice, **at)) for _ in range(6)] == [(503, "overloaded")] * 6
    assert signs_in(anonymous, alice.email, **at).status_code == 200
    assert changes_password(alice, **at).status_code == 204


def test_the_right_password_costs_no_budget(alice):
    passwords = [PASSWORD, *(f"{NEW} {number}" for number in range(7))]
    answers = [changes_password(alice, old, new).status_code for old, new in itertools.pairwise(passwords)]
    assert answers == [204] * 7


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "too_short"),
        ("password1234!", "password_too_common"),
        ("alice@example.com", "password_contains_context"),
        ("x" * 129, "too_long"),
    ],
)
def test_sec_05_a_weak_new_password_is_refused_and_costs_no_try(alice, new, code, sql):
    before = sql("SELECT * FROM users")
    for _ in range(6):
        answer = changes_password(alice, new=new)
        assert code_of(answer) == (422, "validation_failed")
        assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
            ("new_password", code)
        ]
    assert sql("SELECT * FROM users") == before


@pytest.mark.parametrize(("proved", "status"), [("14 minutes 50 seconds", 204), ("15 minutes 1 second", 403)])
def test_sec_29_an_account_with_a_second_factor_proved_it_a_quarter_of_an_hour_ago_at_most(
    ada, sql, parts, proved, status
):
    sql(f"UPDATE sessions SET factor_at = factor_at - interval '{proved}'")
    parts.engines.cache.clear()
    assert changes_password(ada).status_code == status


def test_sec_29_a_proof_without_the_factor_does_not_do(ada, parts, sql):
    sql("UPDATE sessions SET factor_at = NULL")
    parts.engines.cache.clear()
    refused = changes_password(ada)
    assert code_of(refused) == (403, "step_up_required")
    assert refused.json["max_age"] == 900
    assert refused.json["methods"]


def test_an_account_without_a_second_factor_proves_itself_by_the_password(alice, sql, parts):
    """An hour after signing in: the current password is the proof."""
    sql("UPDATE sessions SET authenticated_at = authenticated_at - interval '1 hour'")
    parts.engines.cache.clear()
    assert changes_password(alice).status_code == 204


def test_an_account_without_a_password_has_no_current_one(alice, sql):
    sql("UPDATE users SET password_hash = NULL")
    assert code_of(changes_password(alice)) == (422, "invalid_credentials")


def test_nobody_is_asked_without_a_session(anonymous):
    assert code_of(anonymous.post("/me/password", json={})) == (401, "not_authenticated")


def test_of_two_changes_at_once_one_wins(app, alice, at_once, sql):
    others = [alice.signs_in_again() for _ in range(4)]
    answers = at_once(4, lambda number: changes_password(others[number], new=f"{NEW} {number}").status_code)
    assert answers.count(204) == 1
    assert set(answers) <= {204, 401, 422, 503}
    number = answers.index(204)
    assert signs_in(ApiClient(app), alice.email, f"{NEW} {number}").status_code == 200
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'password.changed'") == [(1,)]
