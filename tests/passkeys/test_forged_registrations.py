"""What an authenticator did not make, or made for something else, becomes no passkey."""

import json

import cbor2
import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.authenticator import BE, BS, ED, UP, UV, Authenticator, b64, unb64
from tests.fixtures.passkeys import adds, asks_to_add, asks_to_sign_in, has_passkey, sends_new

NOT_ON_THE_CURVE = {1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x02" * 32}
ES384 = {1: 2, 3: -35, -1: 2, -2: b"\x01" * 48, -3: b"\x02" * 48}
FORGED = {
    "the answer of a sign-in": {"kind": "webauthn.get"},
    "another page": {"origin": "https://evil.example"},
    "a page that begins alike": {"origin": "http://localhost:5173.evil.example"},
    "an origin with a path": {"origin": "http://localhost:5173/app"},
    "no origin at all": {"origin": "null"},
    "an app that is not listed": {"origin": "android:apk-key-hash:" + "A" * 43},
    "a frame in a foreign page": {"cross_origin": True},
    "another challenge": {"challenge": b64(b"x" * 32)},
    "another relying party": {"rp": "evil.example"},
    "nobody was there": {"flags": UV | BE | BS},
    "the user was not verified": {"flags": UP | BE | BS},
    "copied, but not to be copied": {"flags": UP | UV | BS},
    "bytes left over": {"tail": b"\x00"},
    "extensions that are none": {"flags": UP | UV | BE | BS | ED},
    "an algorithm that was not asked for": {"cose": ES384},
    "a key that is none": {"cose": NOT_ON_THE_CURVE},
    "an empty key": {"cose": {}},
    "a key that is a list": {"cose": [1, 2, 3]},
    "no attestation with a statement": {"att_stmt": {"sig": b"x"}},
    "a self attestation that is wrong": {"fmt": "packed", "att_stmt": {"alg": -7, "sig": b"x" * 70}},
    "an attestation of a certificate that is none": {"fmt": "packed", "att_stmt": {"alg": -7, "sig": b"x", "x5c": [b"x"]}},
    "an attestation nobody knows": {"fmt": "kelp"},
    "client data that is no JSON": {"client_data": b"kelp"},
    "client data that is a list": {"client_data": b"[]"},
    "client data without an origin": {"client_data": b'{"kind": "webauthn.create", "challenge": "AA"}'},
    "client data that is no text": {"client_data": b"\xff\xfe"},
    "deep client data": {"client_data": b"[" * 2_500 + b"]" * 2_500},
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_registration_is_refused(alice, what):
    answer = adds(alice, **FORGED[what])
    assert code_of(answer) == (422, "validation_failed")
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        ("credential", "invalid_format")
    ]
    assert alice.get("/me/passkeys").json["items"] == []
    assert alice.get("/me").json["mfa_enabled"] is False


def reading(credential):
    return cbor2.loads(unb64(credential["response"]["attestationObject"]))


def with_attestation(credential, **changed):
    made = b64(cbor2.dumps({**reading(credential), **changed}))
    return {**credential, "response": {**credential["response"], "attestationObject": made}}


def with_id(credential, identifier):
    return {**credential, "id": identifier, "rawId": identifier}


SPOILED = {
    "cut authenticator data": lambda made: with_attestation(made, authData=reading(made)["authData"][:-1]),
    "almost no authenticator data": lambda made: with_attestation(made, authData=b"\x00" * 36),
    "authenticator data that is a number": lambda made: with_attestation(made, authData=7),
    "a statement that is a number": lambda made: with_attestation(made, attStmt=7),
    "a format that is a number": lambda made: with_attestation(made, fmt=7),
    "an id that is not its own": lambda made: with_id(made, b64(b"x" * 16)),
    "two ids": lambda made: {**made, "rawId": b64(b"x" * 16)},
    "an attestation that is no CBOR": lambda made: {
        **made, "response": {**made["response"], "attestationObject": b64(b"\xff" * 100)},
    },
    "CBOR that nests": lambda made: {
        **made, "response": {**made["response"], "attestationObject": b64(b"\x81" * 20_000 + b"\x00")},
    },
    "CBOR that promises 2^60 bytes": lambda made: {
        **made, "response": {**made["response"], "attestationObject": b64(b"\x5b\x10" + b"\x00" * 7)},
    },
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_registration_is_refused(alice, what):
    asked = asks_to_add(alice)
    spoiled = SPOILED[what](Authenticator().registers(asked["options"]))
    assert code_of(sends_new(alice, asked, spoiled)) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("type",), "password", "invalid_choice"),
        (("id",), "a+b/", "invalid_format"),
        (("id",), "AB==", "invalid_format"),
        (("rawId",), "AB", "invalid_format"),
        (("id",), "", "too_short"),
        (("id",), "A" * 1_365, "too_long"),
        (("response", "clientDataJSON"), 7, "wrong_type"),
        (("response", "clientDataJSON"), "A" * 8_193, "too_long"),
        (("response", "attestationObject"), None, "null_not_allowed"),
        (("response", "transports"), ["x"] * 21, "too_long"),
    ],
)
def test_members_of_a_credential_are_named_when_they_are_wrong(alice, path, value, code):
    asked = asks_to_add(alice)
    credential = json.loads(json.dumps(Authenticator().registers(asked["options"])))
    inner = credential
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    answer = sends_new(alice, asked, credential)
    assert code_of(answer) == (422, "validation_failed")
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        (".".join(("credential", *path)), code)
    ]
    sound = Authenticator().registers(asked["options"])
    assert sends_new(alice, asked, sound).status_code == 201, "what was not read used no challenge up"


def test_members_that_browsers_add_are_passed_over(alice):
    asked = asks_to_add(alice)
    credential = Authenticator().registers(asked["options"])
    credential["response"] |= {"publicKeyAlgorithm": -7, "authenticatorData": "AA", "later": {"deep": [1]}}
    credential["clientExtensionResults"] = {"credProps": {"rk": True}}
    assert sends_new(alice, asked, credential).status_code == 201


def test_a_wrong_answer_uses_the_challenge_up(alice):
    asked = asks_to_add(alice)
    authenticator = Authenticator()
    wrong = authenticator.registers(asked["options"], origin="https://evil.example")
    assert sends_new(alice, asked, wrong).status_code == 422
    right = authenticator.registers(asked["options"])
    assert code_of(sends_new(alice, asked, right)) == (410, "token_expired_or_used")


def test_a_challenge_adds_one_passkey_and_no_second(alice):
    has_passkey(alice)
    asked = asks_to_add(alice)
    answers = [sends_new(alice, asked, Authenticator().registers(asked["options"])) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 410]


def test_a_challenge_lives_five_minutes(alice, advance):
    early, late = asks_to_add(alice), asks_to_add(alice)
    advance(minutes=4, seconds=59)
    assert sends_new(alice, early, Authenticator().registers(early["options"])).status_code == 201
    alice = alice.signs_in_again()
    advance(seconds=2)
    late_answer = sends_new(alice, late, Authenticator().registers(late["options"]))
    assert code_of(late_answer) in {(410, "token_expired_or_used"), (403, "step_up_required")}


def test_the_challenge_of_somebody_else_adds_nothing(alice, bob):
    asked = asks_to_add(alice)
    answer = sends_new(bob, asked, Authenticator().registers(asked["options"]))
    assert code_of(answer) == (410, "token_expired_or_used")


def test_sec_23_the_challenge_of_a_sign_in_adds_nothing(alice, anonymous):
    registering, signing_in = asks_to_add(alice), asks_to_sign_in(anonymous)
    options = {**registering["options"], "challenge": signing_in["options"]["challenge"]}
    answer = sends_new(alice, signing_in, Authenticator().registers(options))
    assert code_of(answer) == (410, "token_expired_or_used")


@pytest.mark.parametrize(
    "token", ["", "hfc1", "hfc1.", "hfc1.AA", "hfc2." + "A" * 43, "kelp", "hfc1." + "A" * 42 + "B"]
)
def test_a_token_that_is_none_is_refused(alice, token):
    asked = {**asks_to_add(alice), "challenge_token": token}
    answer = sends_new(alice, asked, Authenticator().registers(asked["options"]))
    assert code_of(answer) == (410, "token_expired_or_used")
