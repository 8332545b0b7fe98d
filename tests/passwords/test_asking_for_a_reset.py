"""forgotPassword: the same for every address, at the same cost, and the mail that follows (SEC-11, SEC-12, SEC-16, SEC-34)."""

import json

import pytest

from tests.fixtures.account_states import STATES, all_alike, answers_in_every_state, costs_in_every_state
from tests.fixtures.accounts import as_bytes, coming_from, is_refused_for_now
from tests.fixtures.client import ApiClient
from tests.fixtures.resets import asks_for_reset, resets

ALICE = "alice@example.com"


def test_sec_11_every_state_gets_the_same_bytes(app, in_every_state):
    assert all_alike(answers_in_every_state(app, asks_for_reset))[0] == 202


def test_sec_12_every_state_costs_the_same_work(app, in_every_state, count_queries, hashes):
    assert all_alike(costs_in_every_state(app, asks_for_reset, count_queries, hashes))[0] == 0


def test_sec_11_every_state_is_throttled_alike(app, in_every_state):
    for expected in [202] * 5 + [429] * 2:
        assert all_alike(answers_in_every_state(app, asks_for_reset))[0] == expected


def types_a_wrong_code(client, email, **options):
    return resets(client, email=email, code="000000", options=options)


def test_sec_11_wrong_codes_answer_alike_until_and_after_the_tries_are_spent(app, in_every_state):
    for expected in [422] * 5 + [410] * 2:
        assert all_alike(answers_in_every_state(app, types_a_wrong_code))[0] == expected


def test_sec_12_a_wrong_code_costs_the_same_work(app, in_every_state, count_queries, hashes):
    answers_in_every_state(app, asks_for_reset)
    assert all_alike(costs_in_every_state(app, types_a_wrong_code, count_queries, hashes))[0] == 0


def test_only_an_account_gets_a_mail(app, in_every_state, letters, parts):
    letters()
    parts.mailbox.clear()
    answers_in_every_state(app, asks_for_reset)
    kinds = {state: [mail.kind for mail in letters(email)] for state, email in STATES.items()}
    assert kinds == {
        "missing": [],
        "known": ["reset_password"],
        "unverified": [],
        "suspended": ["reset_password"],
    }


def test_the_answer_is_the_same_after_failures_too(app, anonymous, alice, parts):
    """A locked sign-in locks nobody out of the reset (SEC-14), and the answer does not tell of it."""
    from app.auth.budgets import SignInBudgets
    from app.core.throttle import Throttle

    with parts.uow:
        for _ in range(100):
            parts.services[Throttle].count(SignInBudgets.of(parts.settings).ceiling, ALICE)
    answers = [
        asks_for_reset(
            ApiClient(app), email, headers={"X-Request-ID": "the-same-id"}, **coming_from(f"198.51.100.{n}")
        )
        for n, email in enumerate((ALICE, "nobody@example.com"))
    ]
    assert as_bytes(answers[0]) == as_bytes(answers[1])
    assert answers[0].status_code == 202


@pytest.mark.parametrize("email", [ALICE, "nobody@example.com"])
def test_sec_16_five_a_day_for_one_address(app, alice, email, advance):
    def ask(number):
        return asks_for_reset(ApiClient(app), email, **coming_from(f"203.0.113.{number}"))

    assert [ask(number).status_code for number in range(5)] == [202] * 5
    is_refused_for_now(ask(9), "forgot-account")
    advance(days=1, seconds=1)
    assert ask(10).status_code == 202


def test_sec_16_ten_an_hour_from_one_network(app, alice, advance):
    def ask(number):
        return asks_for_reset(ApiClient(app), f"name{number}@example.com", **coming_from("203.0.113.5"))

    assert [ask(number).status_code for number in range(10)] == [202] * 10
    is_refused_for_now(ask(11), "forgot-address")
    advance(hours=1, seconds=1)
    assert ask(12).status_code == 202


def test_sec_16_spellings_of_one_address_share_a_budget(app, alice):
    spellings = ["Alice@example.com", "ALICE@EXAMPLE.COM", " alice@example.com", ALICE, "alice@Example.com"]
    assert [asks_for_reset(ApiClient(app), spelling).status_code for spelling in spellings] == [202] * 5
    is_refused_for_now(asks_for_reset(ApiClient(app), "aLICE@example.com"), "forgot-account")


def test_sec_34_the_link_comes_from_the_settings_never_from_the_request(app, alice, letters):
    """``X-Forwarded-Host`` and a foreign Host change nothing."""
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    asks_for_reset(ApiClient(app), headers={name: evil[name] for name in ("X-Forwarded-Host", "Forwarded")})
    ApiClient(app).http.post(
        "/api/v1/auth/forgot-password", json={"email": ALICE}, headers=evil, base_url="http://evil.example"
    )
    mails = letters(ALICE)
    assert mails
    for mail in mails:
        assert mail.link == f"http://localhost:8000/reset-password#token={mail.token}"
        assert "evil" not in mail.text + mail.html


def test_the_mail_says_from_where_it_was_asked(anonymous, alice, reset_mail):
    mail = reset_mail()
    assert "127.0.0.0" in mail.text
    assert mail.code in mail.text
    assert mail.code not in mail.subject


def test_sec_34_neither_link_nor_code_is_stored_or_queued(anonymous, alice, sql, letters):
    asks_for_reset(anonymous)
    queue = json.dumps(sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'passwords.mail_reset'"))
    [mail] = letters(ALICE)
    rows = str(sql("SELECT t::text FROM password_resets t")) + str(sql("SELECT t::text FROM audit_events t"))
    for secret in (mail.token, mail.token.rpartition(".")[2], mail.code):
        assert secret not in queue
        assert secret not in rows


def test_a_job_that_runs_twice_sends_the_same_mail_again(anonymous, alice, parts, letters, sql):
    asks_for_reset(anonymous)
    [(arguments,)] = sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'passwords.mail_reset'")
    parts.jobs.app.tasks["passwords.mail_reset"].func(**arguments)
    first, second = letters(ALICE)
    assert (first.token, first.code) == (second.token, second.code)


def test_a_mail_that_comes_too_late_is_not_sent(anonymous, alice, letters, advance):
    asks_for_reset(anonymous)
    advance(minutes=31)
    assert letters(ALICE) == []


def test_the_trail_tells_known_and_unknown_apart_and_names_nobody(anonymous, alice, sql):
    for email in (ALICE, "nobody@example.com"):
        asks_for_reset(anonymous, email)
    assert sql("SELECT kind, user_id IS NULL, data FROM audit_events ORDER BY id") == [
        ("password_reset.requested", False, {}),
        ("password_reset.unknown_address", True, {}),
    ]


def test_rows_are_swept_when_they_are_worth_nothing_any_more(anonymous, alice, parts, advance, sql):
    from app.passwords.resets import PasswordResets

    for email in (ALICE, "nobody@example.com"):
        asks_for_reset(anonymous, email)
    assert parts.services[PasswordResets].sweep() == 0
    advance(minutes=30, seconds=1)
    assert parts.services[PasswordResets].sweep() == 2
    assert sql("SELECT count(*) FROM password_resets") == [(0,)]
