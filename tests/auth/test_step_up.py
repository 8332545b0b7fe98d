"""SEC-29: what is sensitive needs a proof of identity of the last 15 minutes, by the strongest factor there is."""

import pytest

from app.core.access import AccountStatus, Caller
from app.core.audit import AuditKind
from app.core.passwords import PasswordHasher
from app.web.operations import declared
from tests.fixtures.accounts import asks_who_it_is, code_of, is_refused_for_now, refreshes, signs_in
from tests.fixtures.bodies import GOOD_BODIES
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations
from tests.fixtures.factors import steps_up
from tests.fixtures.hashing import full
from tests.fixtures.people import PASSWORD, make_administrator, make_person

SENSITIVE = {
    "changeEmail", "startTotp", "confirmTotp", "disableTotp", "regenerateRecoveryCodes", "startPasskey", "addPasskey",
    "renamePasskey", "deletePasskey", "createApiToken", "deleteMe", "startExport", "purgeProject", "transferProject",
    "purgeFile", "updateUser", "revokeUserSessions", "resetUserMfa",
}  # fmt: skip
"""What the contract marks with S, and the writes of administrators."""
STEPPED_UP = {Caller.stepped_up, Caller.stepped_up_administrator}
REQUIRED = (403, "step_up_required")


def declarations(app):
    found = [declared(app, rule.endpoint) for rule in app.url_map.iter_rules()]
    return {each.name: each for each in found if each is not None}


def ages(person, advance, *, minutes, seconds):
    """So long after the sign-in, with a fresh access token: refreshing is no proof."""
    advance(minutes=minutes, seconds=seconds)
    answer = refreshes(person, person.refresh_token)
    person.token, person.refresh_token = answer.json["access_token"], answer.json["refresh_token"]


def takes(person, answer):
    assert answer.status_code == 200, answer.text
    person.token, person.refresh_token = answer.json["access_token"], answer.json["refresh_token"]
    return answer.json


def test_sec_29_what_is_sensitive_is_declared_so(app):
    there = declarations(app)
    assert {name for name, each in there.items() if each.caller in STEPPED_UP} == SENSITIVE & set(there)
    assert {"startTotp", "purgeProject"} <= set(there)


@pytest.mark.parametrize(("minutes", "seconds", "good"), [(14, 59, True), (15, 1, False)])
def test_sec_29_each_of_them_is_open_for_fifteen_minutes(app, advance, minutes, seconds, good):
    """Whatever else an operation says to such a request: whether it asks for another proof is what counts here."""
    tried = 0
    for operation in documented_operations(app):
        if operation.name not in SENSITIVE:
            continue
        tried += 1
        of_administrators = declarations(app)[operation.name].caller == Caller.stepped_up_administrator
        person = (make_administrator if of_administrators else make_person)(app, f"Person{tried}")
        ages(person, advance, minutes=minutes, seconds=seconds)
        answer = person.open(operation.method, operation.address, json=GOOD_BODIES.get(operation.name))
        assert (code_of(answer) != REQUIRED) is good, operation.name
        assert answer.status_code != 401, operation.name
    assert tried > 4


def test_sec_29_by_password_where_there_is_no_second_factor(alice, advance):
    ages(alice, advance, minutes=15, seconds=1)
    refused = alice.post("/me/mfa/totp")
    assert code_of(refused) == REQUIRED
    assert refused.json["methods"] == ["password"]
    old = alice.token
    answer = takes(alice, steps_up(alice, "password", password=PASSWORD))
    assert answer["session_id"] == str(alice.session_id)
    assert answer["device_token"] is None
    assert alice.post("/me/mfa/totp").status_code == 201
    assert code_of(asks_who_it_is(ApiClient(alice.app), old)) == (401, "token_expired"), "SEC-26"


def test_sec_29_a_proof_counts_at_once_in_a_process_that_knew_the_session_before(alice, advance, make_app):
    ages(alice, advance, minutes=15, seconds=1)
    elsewhere = make_app()
    assert code_of(ApiClient(elsewhere, alice.token).post("/me/mfa/totp")) == REQUIRED
    takes(alice, steps_up(alice, "password", password=PASSWORD))
    assert ApiClient(elsewhere, alice.token).post("/me/mfa/totp").status_code == 201


def test_sec_29_an_account_with_a_second_factor_must_use_it(alice, enrols, advance):
    phone = enrols(alice)
    ages(alice, advance, minutes=15, seconds=1)
    refused = alice.post("/me/mfa/recovery-codes")
    assert code_of(refused) == REQUIRED
    assert refused.json["methods"] == ["totp", "recovery_code"]
    by_password = steps_up(alice, "password", password=PASSWORD)
    assert code_of(by_password) == (422, "validation_failed")
    [fault] = by_password.json["errors"]
    assert (fault["field"], fault["code"]) == ("method", "invalid_choice")
    assert fault["params"] == {"choices": ["totp", "recovery_code"]}
    takes(alice, steps_up(alice, "totp", code=phone.code()))
    assert alice.post("/me/mfa/recovery-codes").status_code == 200


def test_sec_33_a_recovery_code_does_once(alice, enrols, advance):
    phone = enrols(alice)
    ages(alice, advance, minutes=15, seconds=1)
    takes(alice, steps_up(alice, "recovery_code", code=phone.recovery_codes[0]))
    again = steps_up(alice, "recovery_code", code=phone.recovery_codes[0])
    assert code_of(again) == (401, "invalid_code")


def test_sec_29_a_session_of_before_the_second_factor_proves_nothing(alice, sql):
    """Enrolling ends the others; one that slipped through would still have no proof by factor."""
    sql("UPDATE users SET mfa_enabled = true")
    assert code_of(alice.post("/me/mfa/recovery-codes")) == REQUIRED


def test_sec_30_the_code_of_a_sign_in_is_no_proof_again(anonymous, alice, enrols):
    phone = enrols(alice)
    code = phone.code()
    takes(alice, steps_up(alice, "totp", code=code))
    assert code_of(steps_up(alice, "totp", code=code)) == (401, "invalid_code")


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        ({"method": "password", "password": "sea otters let go"}, (401, "invalid_credentials")),
        ({"method": "totp", "code": "123456"}, (422, "validation_failed")),
        ({"method": "passkey", "challenge_token": "x", "credential": {}}, (422, "validation_failed")),
    ],
)
def test_what_proves_nothing(alice, proof, code):
    refused = alice.post("/auth/step-up", json=proof)
    assert code_of(refused) == code
    assert "WWW-Authenticate" not in refused.headers, "the access token is good"
    assert alice.get("/me").status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"method": "smoke"}, {"method": 1}, {"method": None}, {"password": "x"}]
)
def test_a_proof_without_a_method_that_is_known(alice, body):
    answer = alice.post("/auth/step-up", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert [fault["field"] for fault in answer.json["errors"]] == ["method"]


def test_fields_of_another_method_are_refused_by_name(alice):
    answer = alice.post("/auth/step-up", json={"method": "password", "password": PASSWORD, "code": "123456"})
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [("code", "unknown_field")]


def test_sec_31_wrong_proofs_are_counted_as_codes_are(alice, enrols):
    phone = enrols(alice)
    answers = [code_of(steps_up(alice, "totp", code=phone.wrong_code())) for _ in range(5)]
    assert answers == [(401, "invalid_code")] * 5
    is_refused_for_now(steps_up(alice, "totp", code=phone.code()), "mfa-account")


def test_sec_31_so_are_wrong_passwords(alice):
    answers = [code_of(steps_up(alice, "password", password="sea otters let go")) for _ in range(5)]
    assert answers == [(401, "invalid_credentials")] * 5
    is_refused_for_now(steps_up(alice, "password", password=PASSWORD), "mfa-account")


def test_sec_31_being_turned_away_while_busy_is_no_wrong_proof(alice, parts):
    with full(parts.services[PasswordHasher]):
        answers = [code_of(steps_up(alice, "password", password=PASSWORD)) for _ in range(6)]
    assert answers == [(503, "overloaded")] * 6
    takes(alice, steps_up(alice, "password", password=PASSWORD))


def test_right_proofs_cost_nothing(alice):
    for _ in range(7):
        takes(alice, steps_up(alice, "password", password=PASSWORD))


def test_sec_30_twenty_at_once_with_one_code(make_app, alice, enrols, at_once):
    phone = enrols(alice)
    app, code = make_app(rate_limit_factor=1_000), phone.code()
    answers = at_once(20, lambda _number: code_of(steps_up(ApiClient(app, alice.token), "totp", code=code)))
    assert answers.count((200, None)) == 1
    assert set(answers) <= {(200, None), (401, "invalid_code"), (401, "token_expired")}


def test_a_browser_gets_its_refresh_token_as_a_cookie(alice):
    browser = ApiClient(alice.app)
    browser.token = signs_in(browser, alice.email, transport="cookie").json["access_token"]
    answer = steps_up(browser, "password", password=PASSWORD)
    assert answer.json["refresh_token"] is None
    assert answer.headers["Set-Cookie"].startswith("refresh_token=hfr1.")


def test_it_is_open_while_the_account_is_leaving_and_before_an_administrator_enrolled(app, alice, sql):
    sql("UPDATE users SET status = %s, role = 'admin'", (AccountStatus.deletion_scheduled.value,))
    assert steps_up(alice, "password", password=PASSWORD).status_code == 200


def test_the_trail_tells_of_both(alice, sql):
    steps_up(alice, "password", password="sea otters let go")
    steps_up(alice, "password", password=PASSWORD)
    rows = sql("SELECT kind, data FROM audit_events WHERE kind LIKE 'step_up.%%' ORDER BY created_at")
    assert rows == [
        (AuditKind.step_up_failed.value, {}),
        (AuditKind.step_up_succeeded.value, {"method": "password"}),
    ]


def test_nobody_steps_up_without_being_signed_in(anonymous):
    assert code_of(steps_up(anonymous, "password", password=PASSWORD)) == (401, "not_authenticated")
