"""SEC-22: an access token counts when everything about it is right, and for no other reason."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.ids import new_id
from app.core.keys import b64
from tests.fixtures.accounts import asks_who_it_is, code_of
from tests.fixtures.client import ApiClient

INVALID, EXPIRED = "token_invalid", "token_expired"
LEFT_OUT = object()


class Forge:
    """Makes tokens that differ from Alice's own in what is asked for."""

    def __init__(self, parts, alice):
        self.key = parts.signing_keys.signer
        self.genuine = alice.token
        self.header = jwt.get_unverified_header(alice.token)
        self.claims = jwt.decode(alice.token, options={"verify_signature": False})
        self.now = int(parts.clock.timestamp())
        self.person = alice

    def token(self, *, header=None, claims=None, key=None, payload=None):
        """Signed with the real key unless told otherwise, whatever header and claims say."""
        head = changed(self.header, header)
        body = payload if payload is not None else json.dumps(changed(self.claims, claims)).encode()
        signed = f"{b64(json.dumps(head).encode())}.{b64(body)}"
        return f"{signed}.{b64((key or self.key).sign(signed.encode()))}"

    def by_library(self, key, algorithm, **header):
        return jwt.encode(
            self.claims, key, algorithm, headers=changed(self.header, {"alg": algorithm, **header})
        )


def changed(members, changes):
    return {name: value for name, value in (members | (changes or {})).items() if value is not LEFT_OUT}


def unsigned(forge, algorithm):
    head = b64(json.dumps(forge.header | {"alg": algorithm}).encode())
    return f"{head}.{forge.genuine.split('.')[1]}."


def respelled(forge):
    """The same signature bytes in another spelling: the last character's spare bits are set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return forge.genuine[:-1] + letters[letters.index(forge.genuine[-1]) + 1]


def signature_of_another(forge):
    return forge.genuine.rpartition(".")[0] + "." + forge.token(claims={"role": "admin"}).rpartition(".")[2]


FORGERIES = {
    # the algorithm and the key
    "alg none": lambda f: unsigned(f, "none"),
    "alg None, signature kept": lambda f: f.token(header={"alg": "None"}),
    "alg HS256 with the public key as secret": lambda f: f.by_library(
        f.key.public_key().public_bytes_raw(), "HS256"
    ),
    "alg ES256 with a key of one's own": lambda f: f.by_library(generate_private_key(SECP256R1()), "ES256"),
    "alg left out": lambda f: f.token(header={"alg": LEFT_OUT}),
    "alg of another case": lambda f: f.token(header={"alg": "eddsa"}),
    "another key under our kid": lambda f: f.token(key=Ed25519PrivateKey.generate()),
    "kid unknown": lambda f: f.token(header={"kid": "k2"}, key=Ed25519PrivateKey.generate()),
    "kid left out": lambda f: f.token(header={"kid": LEFT_OUT}),
    "kid a path": lambda f: f.token(header={"kid": "../../../../dev/null"}),
    "kid a list": lambda f: f.token(header={"kid": ["k1"]}),
    "kid null": lambda f: f.token(header={"kid": None}),
    "jku": lambda f: f.token(header={"jku": "https://evil.example/jwks.json"}),
    "x5u": lambda f: f.token(header={"x5u": "https://evil.example/cert.pem"}),
    "jwk": lambda f: f.token(header={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}),
    "crit": lambda f: f.token(header={"crit": ["exp"]}),
    "b64 false": lambda f: f.token(header={"b64": False}),
    # what it is for
    "typ left out": lambda f: f.token(header={"typ": LEFT_OUT}),
    "typ JWT": lambda f: f.token(header={"typ": "JWT"}),
    "type refresh": lambda f: f.token(claims={"type": "refresh"}),
    "type left out": lambda f: f.token(claims={"type": LEFT_OUT}),
    "iss of another": lambda f: f.token(claims={"iss": "https://evil.example"}),
    "iss left out": lambda f: f.token(claims={"iss": LEFT_OUT}),
    "aud of another": lambda f: f.token(claims={"aud": "billing"}),
    "aud a list with ours": lambda f: f.token(claims={"aud": ["holdfast", "billing"]}),
    "aud left out": lambda f: f.token(claims={"aud": LEFT_OUT}),
    # whose it is
    "sub left out": lambda f: f.token(claims={"sub": LEFT_OUT}),
    "sub a number": lambda f: f.token(claims={"sub": 1}),
    "sub no UUID": lambda f: f.token(claims={"sub": "alice"}),
    "sub of somebody else": lambda f: f.token(claims={"sub": str(new_id())}),
    "sid left out": lambda f: f.token(claims={"sid": LEFT_OUT}),
    "sid no UUID": lambda f: f.token(claims={"sid": "1 OR 1=1"}),
    "jti left out": lambda f: f.token(claims={"jti": LEFT_OUT}),
    "gen left out": lambda f: f.token(claims={"gen": LEFT_OUT}),
    "gen a text": lambda f: f.token(claims={"gen": "1"}),
    "gen true": lambda f: f.token(claims={"gen": True}),
    "role left out": lambda f: f.token(claims={"role": LEFT_OUT}),
    # when
    "exp left out": lambda f: f.token(claims={"exp": LEFT_OUT}),
    "iat left out": lambda f: f.token(claims={"iat": LEFT_OUT}),
    "exp a text": lambda f: f.token(claims={"exp": str(f.now + 60)}),
    "exp a fraction": lambda f: f.token(claims={"exp": f.now + 60.5}),
    "exp beyond all numbers": lambda f: f.token(claims={"exp": 10**400}),
    "exp in ten years": lambda f: f.token(claims={"exp": f.now + 10 * 365 * 86_400}),
    "a second longer than we give": lambda f: f.token(claims={"iat": f.now, "exp": f.now + 601}),
    "iat in the future": lambda f: f.token(claims={"iat": f.now + 40, "exp": f.now + 640}),
    "nbf in the future": lambda f: f.token(claims={"nbf": f.now + 3600}),
    "nbf at all": lambda f: f.token(claims={"nbf": f.now - 60}),
    # the spelling
    "trailing bytes": lambda f: f.genuine + "AAAA",
    "the signature spelled otherwise": respelled,
    "padding": lambda f: f.genuine + "==",
    "a fourth part": lambda f: f.genuine + ".x",
    "no signature": lambda f: f.genuine.rpartition(".")[0] + ".",
    "the signature of another token": signature_of_another,
    "claims no object": lambda f: f.token(payload=b"[]"),
    "claims no JSON": lambda f: f.token(payload=b"alice"),
    "claims nested without end": lambda f: f.token(payload=b'{"a":' * 300 + b"1" + b"}" * 300),
    "far too long": lambda f: f.token(claims={"jti": "x" * 2_000}),
    "not ASCII": lambda f: f.genuine + "\u00e9",
    # other tokens of ours
    "a refresh token": lambda f: f.person.refresh_token,
    "rubbish": lambda _f: "rubbish",
}


@pytest.fixture
def forge(parts, alice):
    return Forge(parts, alice)


def test_sec_22_every_forged_token_is_refused_in_the_same_words(anonymous, forge):
    expected = (
        401,
        INVALID,
        'Bearer realm="holdfast", error="invalid_token", error_description="token_invalid"',
    )
    taken = {}
    for name, make in FORGERIES.items():
        response = asks_who_it_is(anonymous, make(forge))
        answer = (*code_of(response), response.headers.get("WWW-Authenticate"))
        if answer != expected:
            taken[name] = answer
    assert taken == {}
    assert len(FORGERIES) > 50


def test_sec_22_the_forge_makes_good_tokens_too(anonymous, forge):
    """Else the table above would prove nothing."""
    for token in (
        forge.genuine,
        forge.token(),
        forge.token(claims={"iat": forge.now + 20, "exp": forge.now + 600}),
    ):
        assert asks_who_it_is(anonymous, token).status_code == 200


def test_sec_22_a_token_expires_by_our_clock(anonymous, alice, advance):
    advance(seconds=590)
    assert asks_who_it_is(anonymous, alice.token).status_code == 200
    advance(seconds=11)
    response = asks_who_it_is(anonymous, alice.token)
    assert code_of(response) == (401, EXPIRED)
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_sec_22_a_token_that_was_never_good_does_not_become_so_by_expiring(anonymous, forge, advance):
    token = forge.token(key=Ed25519PrivateKey.generate())
    advance(minutes=11)
    assert code_of(asks_who_it_is(anonymous, token)) == (401, INVALID)


def test_sec_22_the_role_comes_from_the_account_not_from_the_token(anonymous, forge, sql):
    token = forge.token(claims={"role": "admin"})
    assert asks_who_it_is(anonymous, token).json["role"] == "user"


def test_sec_22_a_session_that_never_was_has_ended(anonymous, forge):
    token = forge.token(claims={"sid": str(new_id())})
    assert code_of(asks_who_it_is(anonymous, token)) == (401, "session_revoked")


def test_sec_22_somebody_elses_session_is_none_of_mine(anonymous, forge, bob):
    token = forge.token(claims={"sid": str(bob.session_id)})
    assert code_of(asks_who_it_is(anonymous, token)) == (401, INVALID)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token {}", "{}", "Bearer{}"])
def test_t13_what_is_no_bearer_header_is_no_sign_in(app, alice, header):
    client = ApiClient(app)
    response = client.get("/me", headers={"Authorization": header.format(alice.token)})
    assert code_of(response) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="holdfast"'


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_t13_the_scheme_may_be_in_any_case(app, alice, scheme):
    response = ApiClient(app).get("/me", headers={"Authorization": f"{scheme} {alice.token}"})
    assert response.status_code == 200


def test_sec_24_a_key_that_was_retired_is_unknown_and_one_that_was_added_is_not(
    make_app, anonymous, alice, settings
):
    new = "k2:" + "c2lnbmluZy1rZXktc2lnbmluZy1rZXktc2lnbmluZyE="
    old = settings.signing_keys.get_secret_value()
    both, only_new = make_app(signing_keys=f"{new},{old}"), make_app(signing_keys=new)
    assert asks_who_it_is(ApiClient(both), alice.token).status_code == 200
    assert code_of(asks_who_it_is(ApiClient(only_new), alice.token)) == (401, INVALID)
    fresh = (
        ApiClient(both)
        .post("/auth/refresh", json={"refresh_token": alice.refresh_token})
        .json["access_token"]
    )
    assert jwt.get_unverified_header(fresh)["kid"] == "k2"
    assert asks_who_it_is(ApiClient(only_new), fresh).status_code == 200
