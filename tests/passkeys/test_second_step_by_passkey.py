"""A passkey as the second step after a password, and as the proof of a step-up."""

import pytest

from tests.fixtures.accounts import code_of, refreshes, signs_in
from tests.fixtures.authenticator import Authenticator, unb64
from tests.fixtures.client import ApiClient
from tests.fixtures.passkeys import asks_to_sign_in, has_passkey, sends_proof, signs_in_with

REFUSED = (401, "invalid_credentials")
VOID = (401, "mfa_token_invalid")


def begins(client, person):
    """The right password; the mfa_token."""
    answer = signs_in(client, person.email)
    assert (answer.status_code, answer.json["status"]) == (200, "mfa_required")
    assert answer.json["methods"] == ["passkey"]
    return answer.json["mfa_token"]


def test_after_the_password_one_of_the_accounts_own_passkeys_is_asked_for(alice, anonymous):
    authenticator = has_passkey(alice)
    options = asks_to_sign_in(anonymous, begins(anonymous, alice))["options"]
    assert [unb64(each["id"]) for each in options["allowCredentials"]] == [authenticator.credentials[0].id]
    assert options["userVerification"] == "required"


def test_alice_finishes_with_her_passkey(alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous, begins(anonymous, alice))
    answer = sends_proof(anonymous, asked, authenticator.signs(asked["options"]))
    assert answer.status_code == 200
    phone = ApiClient(alice.app, answer.json["access_token"])
    assert phone.post("/me/passkeys/options").status_code == 200, "it was proved by a factor"


def test_a_key_that_names_nobody_is_enough_here(alice, anonymous):
    """The account is known already; security keys leave the handle out."""
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous, begins(anonymous, alice))
    assert (
        sends_proof(anonymous, asked, authenticator.signs(asked["options"], user_handle=None)).status_code
        == 200
    )


def test_the_passkey_of_somebody_else_finishes_nothing(alice, bob, anonymous):
    has_passkey(alice)
    other = has_passkey(bob)
    asked = asks_to_sign_in(anonymous, begins(anonymous, alice))
    proof = other.signs({**asked["options"], "allowCredentials": []})
    assert code_of(sends_proof(anonymous, asked, proof)) == REFUSED


def test_a_sign_in_is_finished_once(alice, anonymous, at_once):
    authenticator = has_passkey(alice)
    token = begins(anonymous, alice)
    asked = [asks_to_sign_in(anonymous, token) for _ in range(4)]
    proofs = [authenticator.signs(each["options"]) for each in asked]
    answers = at_once(4, lambda number: sends_proof(ApiClient(alice.app), asked[number], proofs[number]))
    assert sorted(code_of(answer) for answer in answers) == [(200, None)] + [VOID] * 3
    assert code_of(anonymous.post("/auth/passkeys/options", json={"mfa_token": token})) == VOID


def test_a_cancelled_dialog_leaves_the_sign_in_open(alice, anonymous):
    authenticator = has_passkey(alice)
    token = begins(anonymous, alice)
    asks_to_sign_in(anonymous, token)
    asked = asks_to_sign_in(anonymous, token)
    assert sends_proof(anonymous, asked, authenticator.signs(asked["options"])).status_code == 200


def test_sec_31_five_wrong_answers_end_it(make_app, alice):
    app = make_app(rate_limit_factor=1000)
    client = ApiClient(app)
    authenticator = has_passkey(alice)
    token = begins(client, alice)
    waiting = asks_to_sign_in(client, token)
    for _ in range(5):
        asked = asks_to_sign_in(client, token)
        proof = authenticator.signs(asked["options"], signature=b"x")
        assert code_of(sends_proof(client, asked, proof)) == REFUSED
    assert code_of(sends_proof(client, waiting, authenticator.signs(waiting["options"]))) == VOID


def test_sec_31_wrong_answers_spend_the_budgets_of_second_steps(make_app, alice):
    app = make_app(rate_limit_factor=1)
    client = ApiClient(app)
    authenticator = has_passkey(alice)
    asked = [asks_to_sign_in(client, begins(client, alice)) for _ in range(6)]
    answers = [
        sends_proof(client, each, authenticator.signs(each["options"], signature=b"x")) for each in asked
    ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


@pytest.mark.parametrize("token", ["", "kelp", "hfm1.k1.AA.AA"])
def test_a_token_that_is_none(anonymous, token):
    assert code_of(anonymous.post("/auth/passkeys/options", json={"mfa_token": token})) == VOID


def test_an_expired_sign_in_asks_for_nothing(alice, anonymous, advance):
    has_passkey(alice)
    token = begins(anonymous, alice)
    advance(minutes=5)
    assert code_of(anonymous.post("/auth/passkeys/options", json={"mfa_token": token})) == VOID


def test_sec_23_what_was_asked_for_a_second_step_is_no_step_up(alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous, begins(anonymous, alice))
    assert code_of(steps_up(alice, asked, authenticator)) == (401, "invalid_code")


def steps_up(person, asked, authenticator, **forged):
    body = {
        "method": "passkey",
        "challenge_token": asked["challenge_token"],
        "credential": authenticator.signs(asked["options"], **forged),
    }
    return person.post("/auth/step-up", json=body)


def long_ago(person, advance):
    """The last proof does not count any more."""
    advance(minutes=15, seconds=1)
    person.token = refreshes(person, person.refresh_token).json["access_token"]


def test_sec_29_alice_proves_herself_again(alice, advance):
    authenticator = has_passkey(alice)
    long_ago(alice, advance)
    assert code_of(alice.post("/me/passkeys/options")) == (403, "step_up_required")
    asked = asks_to_sign_in(alice)
    assert [unb64(each["id"]) for each in asked["options"]["allowCredentials"]] == [
        authenticator.credentials[0].id
    ]
    answer = steps_up(alice, asked, authenticator)
    assert (answer.status_code, answer.json["session_id"]) == (200, str(alice.session_id))
    alice.token = answer.json["access_token"]
    assert alice.post("/me/passkeys/options").status_code == 200


def test_a_step_up_by_a_passkey_of_somebody_else_or_forged_is_refused(alice, bob, advance, sql):
    authenticator, other = has_passkey(alice), has_passkey(bob)
    long_ago(alice, advance)
    asked = asks_to_sign_in(alice)
    asked["options"]["allowCredentials"] = []
    assert code_of(steps_up(alice, asked, other)) == (401, "invalid_code")
    assert code_of(steps_up(alice, asks_to_sign_in(alice), authenticator, origin="https://evil.example")) == (
        401,
        "invalid_code",
    )
    assert len(sql("SELECT 1 FROM audit_events WHERE kind = 'step_up.failed'")) == 2


def test_sec_23_the_challenge_of_a_sign_in_is_no_step_up(alice, anonymous):
    authenticator = has_passkey(alice)
    assert code_of(steps_up(alice, asks_to_sign_in(anonymous), authenticator)) == (401, "invalid_code")


def test_the_challenge_of_somebody_elses_step_up_is_none(alice, bob):
    authenticator = has_passkey(alice)
    has_passkey(bob)
    asked = asks_to_sign_in(bob)
    asked["options"]["allowCredentials"] = []
    assert code_of(steps_up(alice, asked, authenticator)) == (401, "invalid_code")


def test_one_challenge_steps_up_once(alice):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(alice)
    first = steps_up(alice, asked, authenticator)
    assert first.status_code == 200
    alice.token = first.json["access_token"]
    assert code_of(steps_up(alice, asked, authenticator)) == (401, "invalid_code")


def test_who_brings_a_bad_access_token_is_told_and_not_treated_as_a_stranger(alice, anonymous, advance):
    bad = {"Authorization": "Bearer a.b.c"}
    assert code_of(anonymous.post("/auth/passkeys/options", headers=bad)) == (401, "token_invalid")
    has_passkey(alice)
    advance(minutes=11)
    assert code_of(alice.post("/auth/passkeys/options")) == (401, "token_expired")
    alice.delete("/auth/sessions")


def test_an_ended_session_asks_for_nothing(alice, bob):
    has_passkey(alice)
    phone = alice.signs_in_again()
    alice.delete("/auth/sessions")
    assert code_of(phone.post("/auth/passkeys/options")) == (401, "session_revoked")


def test_with_app_and_passkey_either_is_enough(alice, anonymous, sql):
    """The app is put in by hand: how it gets there is told elsewhere."""
    authenticator = has_passkey(alice, Authenticator())
    sql(
        "INSERT INTO totp_factors (user_id, key_id, sealed, last_step, confirmed_at, created_at)"
        " VALUES (%s, 'k1', '\\x00', 0, now(), now())",
        (str(alice.user.id),),
    )
    assert signs_in(anonymous, alice.email).json["methods"] == ["totp", "passkey"]
    [passkey] = alice.get("/me/passkeys").json["items"]
    assert alice.delete(f"/me/passkeys/{passkey['id']}").status_code == 204
    assert alice.get("/me").json["mfa_enabled"] is True
    assert code_of(signs_in_with(alice.app, authenticator)) == REFUSED
