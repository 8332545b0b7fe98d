"""Signing in with a passkey alone: two factors in one answer, and one refusal for whatever is wrong."""

import pytest

from tests.fixtures.accounts import SAME_ID, as_bytes, code_of, coming_from, is_refused_for_now, refreshes
from tests.fixtures.authenticator import (
    BE,
    BS,
    EDDSA,
    ES256,
    KEYS,
    RS256,
    UP,
    UV,
    Authenticator,
    Credential,
    b64,
)
from tests.fixtures.client import ApiClient
from tests.fixtures.passkeys import (
    adds,
    asks_to_add,
    asks_to_sign_in,
    has_passkey,
    sends_proof,
    signs_in_with,
)

REFUSED = (401, "invalid_credentials")


def test_the_options_name_nobody(anonymous, alice, parts):
    has_passkey(alice)
    options = asks_to_sign_in(anonymous)["options"]
    assert options["rpId"] == parts.settings.passkey_rp_id
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"


def test_no_body_asks_the_same(anonymous):
    assert anonymous.post("/auth/passkeys/options").status_code == 200


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256])
def test_alice_signs_in(app, alice, alg):
    authenticator = has_passkey(alice, Authenticator(alg=alg))
    answer = signs_in_with(app, authenticator)
    assert answer.status_code == 200
    assert answer.json["user"]["email"] == alice.email
    assert answer.json["session_id"] != str(alice.session_id)
    assert refreshes(ApiClient(app), answer.json["refresh_token"]).status_code == 200


def test_it_counts_as_two_factors(app, alice):
    authenticator = has_passkey(alice)
    phone = ApiClient(app, signs_in_with(app, authenticator).json["access_token"])
    assert phone.post("/me/passkeys/options").status_code == 200


def test_a_browser_gets_its_refresh_token_as_a_cookie(app, alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous)
    answer = sends_proof(anonymous, asked, authenticator.signs(asked["options"]), transport="cookie")
    assert (answer.status_code, answer.json["refresh_token"]) == (200, None)
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_when_it_was_used_is_told(app, alice):
    authenticator = has_passkey(alice)
    signs_in_with(app, authenticator, flags=UP | UV | BE)
    [passkey] = alice.get("/me/passkeys").json["items"]
    assert passkey["last_used_at"] is not None
    assert passkey["backed_up"] is False


def test_the_trail_knows(app, alice, sql):
    authenticator = has_passkey(alice)
    signs_in_with(app, authenticator)
    signs_in_with(app, authenticator, origin="https://evil.example")
    kinds = sql("SELECT kind, user_id::text, data FROM audit_events WHERE kind LIKE 'sign_in.%%' ORDER BY id")
    assert ("sign_in.succeeded", str(alice.user.id), {}) in kinds
    assert kinds[-1] == ("sign_in.failed", str(alice.user.id), {"by": "passkey", "reason": "not_valid"})


def test_a_new_device_is_told_by_mail_and_a_known_one_is_not(app, alice, letters):
    authenticator = has_passkey(alice)
    client = ApiClient(app)
    first = signs_in_with(app, authenticator).json
    asked = asks_to_sign_in(client)
    body = {
        "challenge_token": asked["challenge_token"],
        "credential": authenticator.signs(asked["options"]),
        "device_token": first["device_token"],
    }
    assert client.post("/auth/passkeys/verify", json=body).status_code == 200
    told = [mail.subject for mail in letters(alice.email)]
    assert told.count("New sign-in to Holdfast") == 1


FORGED = {
    "the answer of a registration": {"kind": "webauthn.create"},
    "another page": {"origin": "https://evil.example"},
    "a page that begins alike": {"origin": "http://localhost:5173.evil.example"},
    "a frame in a foreign page": {"cross_origin": True},
    "another challenge": {"challenge": b64(b"x" * 32)},
    "another relying party": {"rp": "evil.example"},
    "nobody was there": {"flags": UV | BE | BS},
    "the user was not verified": {"flags": UP | BE | BS},
    "copied, but not to be copied": {"flags": UP | UV | BS},
    "no longer to be copied": {"flags": UP | UV},
    "bytes left over": {"tail": b"\x00"},
    "a wrong signature": {"signature": b"x" * 70},
    "nobody's handle": {"user_handle": None},
    "the handle of somebody else": {"user_handle": b"x" * 16},
    "client data that is no JSON": {"client_data": b"kelp"},
    "deep client data": {"client_data": b"[" * 2_500 + b"]" * 2_500},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_answer_signs_nobody_in(app, alice, sql, what):
    authenticator = has_passkey(alice)
    before = sql("SELECT count(*) FROM sessions")
    assert code_of(signs_in_with(app, authenticator, **FORGED[what])) == REFUSED
    assert sql("SELECT count(*) FROM sessions") == before
    assert signs_in_with(app, authenticator).status_code == 200


def test_a_key_of_somebody_else_signs_nobody_in(app, alice, bob):
    authenticator, other = has_passkey(alice), has_passkey(bob)
    mixed = Credential(
        other.credentials[0].key,
        ES256,
        other.credentials[0].rp_id,
        alice.user.id.bytes,
        authenticator.credentials[0].id,
    )
    assert code_of(signs_in_with(app, authenticator, credential=mixed)) == REFUSED


def test_sec_11_unknown_and_known_passkeys_are_refused_with_the_same_bytes(app, alice):
    known = has_passkey(alice)
    stranger = Authenticator()
    rp_id = known.credentials[0].rp_id
    stranger.credentials.append(Credential(KEYS[ES256](), ES256, rp_id, b"x" * 16))
    found = set()
    for number, (authenticator, forged) in enumerate(
        [(known, {"signature": b"x"}), (known, {"origin": "https://evil.example"}), (stranger, {})]
    ):
        client = ApiClient(app)
        client.headers |= SAME_ID
        asked = asks_to_sign_in(client)
        place = coming_from(f"198.51.100.{number}")
        answer = sends_proof(client, asked, authenticator.signs(asked["options"], **forged), **place)
        assert code_of(answer) == REFUSED
        found.add(str(as_bytes(answer)))
    used = asks_to_sign_in(client)
    sends_proof(client, used, known.signs(used["options"]), **coming_from("198.51.100.8"))
    replayed = sends_proof(client, used, known.signs(used["options"]), **coming_from("198.51.100.9"))
    found.add(str(as_bytes(replayed)))
    assert len(found) == 1


def test_one_challenge_signs_in_once(app, alice, at_once):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(ApiClient(app))
    proof = authenticator.signs(asked["options"])
    answers = at_once(
        8, lambda number: sends_proof(ApiClient(app), asked, proof, **coming_from(f"198.51.100.{number}"))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_one_answer_counts_for_one_challenge(app, alice, anonymous):
    authenticator = has_passkey(alice)
    first, second = asks_to_sign_in(anonymous), asks_to_sign_in(anonymous)
    proof = authenticator.signs(first["options"])
    assert code_of(sends_proof(anonymous, second, proof)) == REFUSED
    assert sends_proof(anonymous, first, proof).status_code == 200


def test_a_wrong_answer_uses_the_challenge_up(app, alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous)
    assert (
        code_of(sends_proof(anonymous, asked, authenticator.signs(asked["options"], signature=b"x")))
        == REFUSED
    )
    assert code_of(sends_proof(anonymous, asked, authenticator.signs(asked["options"]))) == REFUSED


def test_a_challenge_lives_five_minutes(app, alice, anonymous, advance):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(anonymous), asks_to_sign_in(anonymous)
    advance(minutes=4, seconds=59)
    assert sends_proof(anonymous, asked[0], authenticator.signs(asked[0]["options"])).status_code == 200
    advance(seconds=1)
    assert code_of(sends_proof(anonymous, asked[1], authenticator.signs(asked[1]["options"]))) == REFUSED


def test_sec_23_the_challenge_of_a_registration_signs_nobody_in(app, alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_add(alice)
    options = {
        "challenge": asked["options"]["challenge"],
        "rpId": asked["options"]["rp"]["id"],
        "allowCredentials": [],
    }
    assert code_of(sends_proof(anonymous, asked, authenticator.signs(options))) == REFUSED


def test_sec_23_the_challenge_of_a_step_up_signs_nobody_in(app, alice, anonymous):
    authenticator = has_passkey(alice)
    asked = asks_to_sign_in(alice)
    assert code_of(sends_proof(anonymous, asked, authenticator.signs(asked["options"]))) == REFUSED


def test_a_copied_authenticator_is_noticed_by_its_counter(app, alice, sql):
    authenticator = has_passkey(alice, Authenticator(counts=True, flags=UP | UV))
    assert signs_in_with(app, authenticator).status_code == 200
    for count in (1, 2, 0):
        assert code_of(signs_in_with(app, authenticator, count=count)) == REFUSED
        [(data,)] = sql(
            "SELECT data FROM audit_events WHERE kind = 'sign_in.failed' ORDER BY id DESC LIMIT 1"
        )
        assert data == {"by": "passkey", "reason": "cloned"}
    assert signs_in_with(app, authenticator, count=100).status_code == 200
    assert code_of(signs_in_with(app, authenticator, count=100)) == REFUSED


def test_a_counter_is_judged_only_after_a_right_signature(app, alice, sql):
    authenticator = has_passkey(alice, Authenticator(counts=True, flags=UP | UV))
    signs_in_with(app, authenticator, count=0, signature=b"x")
    [(data,)] = sql("SELECT data FROM audit_events WHERE kind = 'sign_in.failed'")
    assert data["reason"] == "not_valid"


def test_one_that_began_to_count_has_to_go_on(app, alice):
    authenticator = has_passkey(alice)
    assert signs_in_with(app, authenticator, count=0).status_code == 200
    assert signs_in_with(app, authenticator, count=5).status_code == 200
    assert code_of(signs_in_with(app, authenticator, count=0)) == REFUSED


def test_the_same_counter_from_two_devices_at_once_signs_in_once(app, alice, at_once):
    authenticator = has_passkey(alice, Authenticator(counts=True, flags=UP | UV))
    clients = [ApiClient(app) for _ in range(5)]
    asked = [asks_to_sign_in(client) for client in clients]
    proofs = [authenticator.signs(each["options"], count=7) for each in asked]
    answers = at_once(
        5, lambda n: sends_proof(clients[n], asked[n], proofs[n], **coming_from(f"198.51.100.{n}"))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4


def test_a_suspended_account_is_told_so_and_only_then(app, alice, sql):
    authenticator = has_passkey(alice)
    sql("UPDATE users SET status = 'suspended' WHERE id = %s", (str(alice.user.id),))
    assert code_of(signs_in_with(app, authenticator)) == (403, "account_suspended")
    assert code_of(signs_in_with(app, authenticator, signature=b"x")) == REFUSED


def test_an_account_that_leaves_may_sign_in(app, alice, sql):
    authenticator = has_passkey(alice)
    sql("UPDATE users SET status = 'deletion_scheduled' WHERE id = %s", (str(alice.user.id),))
    answer = signs_in_with(app, authenticator)
    assert answer.json["user"]["status"] == "deletion_scheduled"


def test_sec_13_failures_of_one_network_are_counted_and_successes_are_not(make_app, alice):
    app = make_app(rate_limit_factor=1)
    authenticator = has_passkey(alice)
    for _ in range(12):
        assert signs_in_with(app, authenticator).status_code == 200
    for _ in range(10):
        assert code_of(signs_in_with(app, authenticator, signature=b"x")) == REFUSED
    is_refused_for_now(signs_in_with(app, authenticator), "sign-in-address")
    client = ApiClient(app)
    asked = asks_to_sign_in(client)
    elsewhere = sends_proof(
        client, asked, authenticator.signs(asked["options"]), **coming_from("198.51.100.4")
    )
    assert elsewhere.status_code == 200


def test_sec_49_the_count_is_in_postgresql(make_app, alice, redis_client):
    app = make_app(rate_limit_factor=1)
    authenticator = has_passkey(alice)
    for _ in range(10):
        signs_in_with(app, authenticator, signature=b"x")
    redis_client.flushdb()
    assert signs_in_with(app, authenticator).status_code == 429


def test_synced_passkeys_of_one_person_sign_in_from_two_devices(app, alice):
    authenticator = has_passkey(alice)
    assert [signs_in_with(app, authenticator).status_code for _ in range(2)] == [200, 200]
    assert adds(alice).status_code == 201
