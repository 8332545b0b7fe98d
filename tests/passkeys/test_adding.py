"""A passkey is added by whoever proved their identity just now, and is a second factor from then on (SEC-32)."""

import base64

import pytest

from app.core.errors import AppError, Code
from app.passkeys.service import PasskeyService
from tests.fixtures.accounts import code_of, refreshes
from tests.fixtures.authenticator import BE, EDDSA, ES256, ICLOUD, RS256, UP, UV, Authenticator, unb64
from tests.fixtures.passkeys import adds, asks_to_add, has_passkey, sends_new
from tests.fixtures.people import PHONE, make_person

MOST = 9


def test_the_options_ask_for_a_discoverable_passkey_that_verifies_its_user(alice, parts):
    asked = asks_to_add(alice)
    options = asked["options"]
    assert options["rp"] == {"id": parts.settings.passkey_rp_id, "name": parts.settings.product_name}
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [ES256, EDDSA, RS256]
    assert options["attestation"] == "none"
    assert len(unb64(options["challenge"])) == 32
    assert options["user"]["name"] == alice.email
    assert unb64(options["user"]["id"]) == alice.user.id.bytes
    assert alice.email.encode() not in unb64(options["user"]["id"])


def test_every_challenge_is_another(alice):
    first, second = asks_to_add(alice), asks_to_add(alice)
    assert first["options"]["challenge"] != second["options"]["challenge"]
    assert first["challenge_token"] != second["challenge_token"]


def test_the_challenge_token_is_stored_as_a_digest(alice, sql):
    secret = unb64(asks_to_add(alice)["challenge_token"].partition(".")[2])
    [(digest,)] = sql("SELECT token_digest FROM passkey_challenges")
    assert bytes(digest) != secret
    assert base64.b16encode(secret).decode().lower() not in str(
        sql("SELECT c::text FROM passkey_challenges c")
    )


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256])
def test_alice_adds_a_passkey_of_each_algorithm(alice, alg):
    answer = adds(alice, Authenticator(alg=alg))
    assert answer.status_code == 201
    alice.token = answer.json["session"]["access_token"]
    assert alice.get("/me/passkeys").json["items"] == [answer.json["passkey"]]


def test_what_is_told_of_a_passkey(alice):
    passkey = adds(alice, Authenticator(aaguid=ICLOUD), transports=("internal", "hybrid", "kelp")).json[
        "passkey"
    ]
    assert passkey["aaguid"] == "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"
    assert passkey["transports"] == ["internal", "hybrid"]
    assert (passkey["backup_eligible"], passkey["backed_up"]) == (True, True)
    assert passkey["last_used_at"] is None


@pytest.mark.parametrize(
    ("aaguid", "name", "called"),
    [(ICLOUD, None, "iCloud Keychain"), (bytes(16), None, "Passkey"), (ICLOUD, "  My phone ", "My phone")],
)
def test_it_is_named_after_the_authenticator_unless_it_is_named(alice, aaguid, name, called):
    assert adds(alice, Authenticator(aaguid=aaguid), name).json["passkey"]["name"] == called


def test_one_that_is_bound_to_a_device_is_told_so(alice):
    passkey = adds(alice, Authenticator(flags=UP | UV, counts=True)).json["passkey"]
    assert (passkey["backup_eligible"], passkey["backed_up"]) == (False, False)


def test_a_self_attestation_is_taken_too(alice):
    assert adds(alice, fmt="packed").status_code == 201


def test_sec_32_the_first_one_turns_the_second_factor_on_and_ends_other_sessions(alice, parts):
    phone, before = alice.signs_in_again(), alice.token
    answer = adds(alice)
    session = answer.json["session"]
    assert session["session_id"] == str(alice.session_id)
    assert session["user"]["mfa_enabled"] is True
    assert code_of(phone.get("/me")) == (401, "session_revoked")
    assert code_of(alice.get("/me")) == (401, "token_expired")
    assert alice.token == before
    alice.token = session["access_token"]
    assert alice.get("/me").json["mfa_enabled"] is True


def test_sec_26_the_tokens_that_came_with_it_go_on(alice, anonymous):
    session = adds(alice).json["session"]
    assert refreshes(anonymous, session["refresh_token"]).status_code == 200


def test_sec_29_the_proof_of_the_first_one_counts_for_what_needs_step_up(alice, advance):
    has_passkey(alice)
    advance(minutes=14)
    again = refreshes(alice, alice.refresh_token).json
    alice.token = again["access_token"]
    assert alice.post("/me/passkeys/options").status_code == 200


def test_a_second_one_ends_nothing(alice):
    has_passkey(alice)
    answer = adds(alice)
    assert (answer.status_code, answer.json["session"]) == (201, None)
    assert alice.get("/me").status_code == 200


def test_where_a_factor_is_on_already_nothing_ends(alice, ada):
    phone = ada.signs_in_again()
    assert adds(ada).json["session"] is None
    assert phone.get("/me").status_code == 200


def test_the_cookie_of_a_browser_is_renewed(app, anonymous, alice):
    body = {"email": alice.email, "password": alice.password, "token_transport": "cookie"}
    alice.token = anonymous.post("/auth/login", json=body).json["access_token"]
    answer = adds(alice)
    assert answer.json["session"]["refresh_token"] is None
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    alice.token = answer.json["session"]["access_token"]
    assert alice.get("/me").status_code == 200


def test_known_passkeys_are_excluded(alice):
    authenticator = has_passkey(alice)
    [excluded] = asks_to_add(alice)["options"]["excludeCredentials"]
    assert unb64(excluded["id"]) == authenticator.credentials[0].id
    assert excluded["transports"] == ["internal"]


def test_the_same_passkey_is_registered_once_whoever_asks(alice, bob):
    authenticator = has_passkey(alice)
    stolen = authenticator.credentials[0].id
    assert code_of(adds(bob, identifier=stolen)) == (409, "write_conflict")
    assert bob.get("/me").json["mfa_enabled"] is False
    assert bob.get("/me/passkeys").json["items"] == []


def test_sec_32_an_account_has_nine_passkeys_at_most(alice):
    asked = None
    for number in range(MOST):
        asked = asked or (asks_to_add(alice) if number == MOST - 1 else None)
        has_passkey(alice)
    assert code_of(alice.post("/me/passkeys/options")) == (409, "write_conflict")
    assert code_of(sends_new(alice, asked, Authenticator().registers(asked["options"]))) == (
        409,
        "write_conflict",
    )
    assert len(alice.get("/me/passkeys").json["items"]) == MOST


def test_sec_32_the_last_place_is_taken_once(alice, at_once):
    for _ in range(MOST - 1):
        has_passkey(alice)
    asked = [asks_to_add(alice) for _ in range(6)]
    answers = at_once(
        6, lambda number: sends_new(alice, asked[number], Authenticator().registers(asked[number]["options"]))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


def test_one_challenge_adds_one_passkey(alice, at_once):
    has_passkey(alice)
    asked = asks_to_add(alice)
    answers = at_once(8, lambda _n: sends_new(alice, asked, Authenticator().registers(asked["options"])))
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 7
    assert len(alice.get("/me/passkeys").json["items"]) == 2


def test_two_first_ones_at_once_leave_one_session_that_works(alice, at_once):
    asked = [asks_to_add(alice) for _ in range(2)]
    answers = at_once(
        2, lambda number: sends_new(alice, asked[number], Authenticator().registers(asked[number]["options"]))
    )
    tokens = [
        answer.json["session"]["access_token"]
        for answer in answers
        if answer.status_code == 201 and answer.json["session"]
    ]
    assert len(tokens) == 1
    alice.token = tokens[0]
    assert alice.get("/me").json["mfa_enabled"] is True


def test_sec_32_who_was_let_in_by_a_password_adds_nothing_once_there_is_a_factor(alice, parts):
    """Another session was faster: this request passed the guard before, its session has ended since."""
    slow = alice.signs_in_again()
    asked = asks_to_add(slow)
    has_passkey(alice)
    service = parts.services[PasskeyService]
    credential = Authenticator().registers(asked["options"])
    with pytest.raises(AppError) as refused:
        service.add(slow.actor, asked["challenge_token"], credential, None, PHONE)
    assert refused.value.code == Code.write_conflict
    assert len(alice.get("/me/passkeys").json["items"]) == 1


def test_the_account_in_the_answer_is_as_it_is_now(alice):
    told = adds(alice).json["session"]
    alice.token = told["access_token"]
    assert alice.get("/me").json == told["user"]


def test_it_needs_a_recent_proof_of_identity(alice, advance):
    asked = asks_to_add(alice)
    advance(minutes=15, seconds=1)
    alice.token = refreshes(alice, alice.refresh_token).json["access_token"]
    for answer in (
        alice.post("/me/passkeys/options"),
        sends_new(alice, asked, Authenticator().registers(asked["options"])),
    ):
        assert code_of(answer) == (403, "step_up_required")


def test_an_administrator_without_a_factor_may_enrol(app, sql):
    eve = make_person(app, "Eve")
    sql("UPDATE users SET role = 'admin' WHERE id = %s", (str(eve.user.id),))
    eve = eve.signs_in_again()
    assert code_of(eve.get("/projects")) == (403, "mfa_enrolment_required")
    has_passkey(eve)
    assert eve.get("/projects").status_code == 200


def test_the_owner_is_told_by_mail_and_the_trail_says_which(alice, letters, sql):
    passkey = adds(alice).json["passkey"]
    [mail] = letters(alice.email)
    assert mail.subject == "A passkey was added to Holdfast"
    [(data,)] = sql("SELECT data FROM audit_events WHERE kind = 'passkey.added'")
    assert data == {"passkey_id": passkey["id"]}


def test_flags_of_a_passkey_that_is_not_copied_yet(alice):
    passkey = adds(alice, flags=UP | UV | BE).json["passkey"]
    assert (passkey["backup_eligible"], passkey["backed_up"]) == (True, False)
