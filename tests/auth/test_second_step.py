"""SEC-31: after the right password comes the second factor, five tries and five minutes long."""

import pytest

from app.second_factor import codes
from tests.fixtures.accounts import (
    asks_who_it_is,
    code_of,
    coming_from,
    is_refused_for_now,
    refreshes,
    signs_in,
)
from tests.fixtures.client import ApiClient
from tests.fixtures.factors import begins, completes

WRONG = (401, "invalid_code")
VOID = (401, "mfa_token_invalid")


@pytest.fixture
def phone(alice, enrols):
    return enrols(alice)


@pytest.fixture
def compares(monkeypatch):
    """Every code that was looked at."""
    seen, real = [], codes.matching_steps

    def spy(secret, code, timestamp):
        seen.append(code)
        return real(secret, code, timestamp)

    monkeypatch.setattr("app.second_factor.check.matching_steps", spy)
    return seen


def test_the_answer_to_a_right_password(anonymous, alice, phone, sql):
    answer = signs_in(anonymous, alice.email)
    assert answer.status_code == 200
    assert answer.json == {
        "status": "mfa_required", "mfa_token": answer.json["mfa_token"], "methods": ["totp", "recovery_code"],
        "expires_in": 300,
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert sql("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == [(1,)]


def test_the_second_step_opens_a_session_proved_by_factor(anonymous, alice, phone, sql):
    answer = completes(anonymous, begins(anonymous, alice.email), phone.code())
    assert answer.status_code == 200
    assert answer.json["status"] == "signed_in"
    assert answer.json["device_token"].startswith("hfd1.")
    assert asks_who_it_is(anonymous, answer.json["access_token"]).status_code == 200
    anonymous.token = answer.json["access_token"]
    assert anonymous.post("/me/mfa/recovery-codes").status_code == 200, "it counts as step-up"
    assert sql("SELECT factor_at IS NOT NULL FROM sessions WHERE id = %s", (answer.json["session_id"],)) == [
        (True,)
    ]


def test_device_name_and_transport_are_those_of_the_second_step(anonymous, alice, phone):
    token = begins(anonymous, alice.email)
    body = {"token_transport": "cookie", "device_name": "Alice's browser"}
    answer = completes(anonymous, token, phone.code(), body=body)
    assert answer.json["refresh_token"] is None
    assert answer.headers["Set-Cookie"].startswith("refresh_token=hfr1.")
    assert alice.get("/auth/sessions").json["items"][0]["device_name"] == "Alice's browser"


def test_a_wrong_password_is_told_before_anything_of_a_factor(anonymous, alice, phone):
    assert code_of(signs_in(anonymous, alice.email, "sea otters let go")) == (401, "invalid_credentials")


def test_sec_31_a_token_is_used_once(anonymous, alice, phone, advance):
    token = begins(anonymous, alice.email)
    assert completes(anonymous, token, phone.code()).status_code == 200
    advance(seconds=30)
    assert code_of(completes(anonymous, token, phone.code())) == VOID


def test_sec_31_of_many_at_once_with_one_token_one_gets_in(make_app, alice, phone, at_once, sql):
    app = make_app(rate_limit_factor=1_000)
    token = begins(ApiClient(app), alice.email)
    proofs = [(phone.code(), "totp")] + [(code, "recovery_code") for code in phone.recovery_codes[:4]]
    answers = at_once(5, lambda number: code_of(completes(ApiClient(app), token, *proofs[number])))
    assert answers.count((200, None)) == 1
    assert answers.count(VOID) == 4
    assert sql("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == [(2,)]


def test_sec_31_a_token_lives_five_minutes(anonymous, alice, phone, advance):
    early, late = begins(anonymous, alice.email), begins(anonymous, alice.email)
    advance(minutes=4, seconds=59)
    assert completes(anonymous, early, phone.code()).status_code == 200
    advance(seconds=31)
    assert code_of(completes(anonymous, late, phone.code())) == VOID


def test_sec_31_the_sixth_try_is_refused_though_right(anonymous, alice, phone, compares):
    token = begins(anonymous, alice.email)
    assert [code_of(completes(anonymous, token, phone.wrong_code())) for _ in range(5)] == [WRONG] * 5
    assert code_of(completes(anonymous, token, phone.code())) == VOID
    assert len(compares) == 5
    fresh = begins(anonymous, alice.email)
    is_refused_for_now(completes(anonymous, fresh, phone.code()), "mfa-account")
    assert len(compares) == 5


@pytest.mark.parametrize(("factor", "times"), [(1, 20), (1_000, 50)])
def test_sec_31_fifty_wrong_tries_at_once_are_at_most_five_looks(
    make_app, alice, phone, at_once, compares, factor, times
):
    """By the budget of the account, and by the challenge's own count where budgets are wide."""
    app = make_app(rate_limit_factor=factor)
    token, wrong = begins(ApiClient(app), alice.email), phone.wrong_code()
    answers = at_once(times, lambda _number: code_of(completes(ApiClient(app), token, wrong)))
    assert answers.count(WRONG) == len(compares) <= 5
    assert set(answers) <= {
        WRONG,
        VOID,
        (429, "rate_limited"),
        (503, "overloaded"),
        (503, "database_unavailable"),
    }
    assert code_of(completes(ApiClient(app), token, phone.code())) in {VOID, (429, "rate_limited")}


def test_sec_31_tries_are_counted_for_the_account_over_all_tokens(anonymous, alice, phone, advance):
    wrong = phone.wrong_code()
    for minutes in range(4):
        token = begins(anonymous, alice.email)
        assert [
            code_of(completes(anonymous, token, phone.wrong_code(), **coming_from(f"203.0.113.{minutes}")))
            for _ in range(5)
        ] == [WRONG] * 5
        advance(minutes=5, seconds=1)
    assert wrong
    refused = completes(
        anonymous, begins(anonymous, alice.email), phone.code(), **coming_from("203.0.113.99")
    )
    is_refused_for_now(refused, "mfa-account-hour")


def test_sec_31_tries_are_counted_for_the_network(app, anonymous, alice, bob, charlie, enrols):
    people = [(person, enrols(person)) for person in (alice, bob, charlie)]
    for person, factor in people[:2]:
        token = begins(anonymous, person.email)
        assert [code_of(completes(anonymous, token, factor.wrong_code())) for _ in range(5)] == [WRONG] * 5
    person, factor = people[2]
    refused = completes(anonymous, begins(anonymous, person.email), factor.code())
    is_refused_for_now(refused, "mfa-address")
    elsewhere = completes(
        anonymous, begins(anonymous, person.email), factor.code(), **coming_from("203.0.113.9")
    )
    assert elsewhere.status_code == 200


def test_sec_31_the_figures_are_as_published(parts):
    from app.second_factor.budgets import FactorBudgets

    budgets = FactorBudgets.of(parts.settings)
    told = {name: (each.quota, each.seconds) for name, each in vars(budgets).items()}
    assert told == {
        "account": (5, 300), "account_hour": (20, 3_600), "account_day": (50, 86_400),
        "address": (10, 300), "address_hour": (50, 3_600),
    }  # fmt: skip


def test_sec_31_right_codes_cost_nothing(anonymous, alice, phone, advance):
    for _ in range(7):
        assert completes(anonymous, begins(anonymous, alice.email), phone.code()).status_code == 200
        advance(seconds=30)


def test_sec_31_a_suspension_in_between_voids_the_token(anonymous, alice, phone, sql):
    token = begins(anonymous, alice.email)
    sql("UPDATE users SET status = 'suspended'")
    assert code_of(completes(anonymous, token, phone.code())) == VOID


def test_sec_34_another_password_in_between_voids_the_token(anonymous, alice, phone, sql):
    token = begins(anonymous, alice.email)
    sql("UPDATE users SET password_hash = 'hf1$another'")
    assert code_of(completes(anonymous, token, phone.code())) == VOID


def test_sec_32_a_factor_that_was_turned_off_in_between_proves_nothing(anonymous, alice, phone):
    token = begins(anonymous, alice.email)
    assert alice.delete("/me/mfa/totp").status_code == 204
    assert code_of(completes(anonymous, token, phone.code())) == WRONG


def test_sec_31_the_token_opens_nothing_else(anonymous, alice, phone):
    token = begins(anonymous, alice.email)
    assert code_of(asks_who_it_is(anonymous, token)) == (401, "token_invalid")
    assert code_of(refreshes(anonymous, token)) == (401, "refresh_invalid")


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.replace("hfm1", "hfm2"),
                                   lambda t: t.replace(".k1.", ".k2."), lambda _t: "x", lambda t: t.upper()])  # fmt: skip
def test_sec_31_a_damaged_token_is_none(anonymous, alice, phone, spoil):
    assert code_of(completes(anonymous, spoil(begins(anonymous, alice.email)), phone.code())) == VOID


def test_sec_31_dead_tokens_cost_no_budget(anonymous, alice, phone, sql):
    token = begins(anonymous, alice.email)
    sql("UPDATE mfa_challenges SET used_at = created_at")
    for _ in range(12):
        assert code_of(completes(anonymous, token, phone.wrong_code())) == VOID
    assert completes(anonymous, begins(anonymous, alice.email), phone.code()).status_code == 200


def test_the_trail_tells_of_wrong_codes(anonymous, alice, phone, sql):
    completes(anonymous, begins(anonymous, alice.email), phone.wrong_code())
    kinds = [kind for (kind,) in sql("SELECT kind FROM audit_events ORDER BY created_at DESC LIMIT 1")]
    assert kinds == ["sign_in.second_step_failed"]


def test_the_right_password_alone_clears_the_failed_sign_ins_only(anonymous, alice, phone):
    """The budgets of codes are not given back by it, else a thief of the password could guess on."""
    token = begins(anonymous, alice.email)
    for _ in range(5):
        completes(anonymous, token, phone.wrong_code())
    is_refused_for_now(completes(anonymous, begins(anonymous, alice.email), phone.code()), "mfa-account")


def test_fields_that_are_missing_or_wrong_are_named(anonymous):
    answer = anonymous.post("/auth/mfa", json={"method": "passkey", "remember": True})
    assert {fault["field"]: fault["code"] for fault in answer.json["errors"]} == {
        "mfa_token": "required", "method": "invalid_choice", "code": "required", "remember": "unknown_field",
    }  # fmt: skip


def test_challenges_are_swept(anonymous, alice, phone, parts, advance, sql):
    from app.second_factor.second_step import SecondStep

    begins(anonymous, alice.email)
    advance(minutes=4)
    begins(anonymous, alice.email)
    advance(minutes=2)
    assert parts.services[SecondStep].sweep() == 1
    assert sql("SELECT count(*) FROM mfa_challenges") == [(1,)]
