"""Keys: rings that rotate, one derived key per purpose, public halves only (SEC-23, SEC-24, SEC-59)."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.keys import PURPOSES, Key, KeyRing, SigningKeys, b64, expand, fresh_ring, mac, unb64
from tests.fixtures.properties import quick

RING = KeyRing([Key("new", b"n" * 32), Key("old", b"o" * 32)])


def test_a_ring_is_read_as_the_environment_writes_it():
    text = f"{fresh_ring('new', b'n' * 32)}, {fresh_ring('old', b'o' * 32)}"
    ring = KeyRing.parse(text)
    assert ring.ids == ["new", "old"]
    assert ring.current == ("new", b"n" * 32)
    assert (ring.get("old"), ring.get("other"), ring.get("")) == (b"o" * 32, None, None)


def test_the_first_key_makes_and_all_of_them_read():
    rotated = KeyRing([Key("newest", b"x" * 32), *[Key(name, RING.get(name)) for name in RING.ids]])
    assert rotated.current[0] == "newest"
    assert rotated.derive("cursor").get("old") == RING.derive("cursor").get("old")


def test_every_purpose_has_a_key_of_its_own():
    """SEC-23: and none of them is the ring's key."""
    keys = [RING.derive(purpose).get(name) for purpose in PURPOSES for name in RING.ids]
    assert len({*keys, b"n" * 32, b"o" * 32}) == len(PURPOSES) * 2 + 2
    assert {len(key) for key in keys} == {32}


def test_a_purpose_is_declared_or_there_is_no_key():
    with pytest.raises(ValueError, match="not a declared purpose"):
        RING.derive("something-new")


def test_deriving_is_hkdf():
    """RFC 5869, test case 3: SHA-256, no salt, no info; frozen, since stored tokens depend on it."""
    made = expand(bytes.fromhex("0b" * 22), "", 42)
    assert made.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
    assert expand(b"n" * 32, "a") != expand(b"n" * 32, "b")


PARTS = st.lists(st.binary(max_size=5), max_size=4)


@quick
@given(PARTS, PARTS)
def test_a_mac_tells_two_lists_of_parts_apart(one, other):
    assume(one != other)
    assert mac(b"k" * 32, *one) != mac(b"k" * 32, *other)


@quick
@given(PARTS, st.integers(16, 32))
def test_a_mac_is_as_long_as_asked_and_depends_on_its_key(parts, size):
    made = mac(b"k" * 32, *parts, size=size)
    assert len(made) == size
    assert made == mac(b"k" * 32, *parts)[:size]
    assert made != mac(b"l" * 32, *parts, size=size)


@quick
@given(st.binary(max_size=40))
def test_base64_comes_back_and_needs_no_escaping(data):
    text = b64(data)
    assert unb64(text) == data
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@quick
@given(st.text("AQgw+/-_= \n\u00e9", max_size=8))
def test_only_one_spelling_of_the_same_bytes_is_taken(text):
    """Or one token would have many spellings, and a list of used ones could be walked around."""
    try:
        data = unb64(text)
    except ValueError:
        return
    assert b64(data) == text


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q+", "Q/", "Q Q", "QQ\n", "\u00e9", "=", "QUJD="])
def test_other_spellings_are_refused(text):
    with pytest.raises(ValueError):
        unb64(text)


def test_tokens_are_signed_with_the_current_key_and_verified_with_any():
    keys, before = SigningKeys(RING), SigningKeys(KeyRing([Key("old", b"o" * 32)]))
    assert keys.current_id == "new"
    keys.verifier("old").verify(before.signer.sign(b"x"), b"x")
    keys.verifier("new").verify(keys.signer.sign(b"x"), b"x")
    with pytest.raises(InvalidSignature):
        keys.verifier("old").verify(keys.signer.sign(b"x"), b"x")


@pytest.mark.parametrize("key_id", ["retired", "", None, 7, ["new"], {"kid": "new"}])
def test_an_unknown_key_id_is_no_key(key_id):
    """Trap T14: whatever stands in a token's header."""
    assert SigningKeys(RING).verifier(key_id) is None


def test_the_signing_key_is_not_the_rings_key():
    keys = SigningKeys(RING)
    assert keys.signer.private_bytes_raw() not in {RING.get("new"), RING.derive("access-token").get("old")}


def test_what_other_services_get_are_public_halves(anonymous, parts):
    """SEC-24: no ``d``, and each key says what it is for."""
    found = SigningKeys(RING).jwks
    assert [key["kid"] for key in found["keys"]] == ["new", "old"]
    for key in found["keys"]:
        assert set(key) == {"kty", "crv", "alg", "use", "key_ops", "kid", "x"}
        assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "EdDSA")
        assert (key["use"], key["key_ops"]) == ("sig", ["verify"])
        assert len(unb64(key["x"])) == 32
    served = anonymous.get("//.well-known/jwks.json")
    assert served.json == parts.signing_keys.jwks
    private = parts.signing_keys.signer.private_bytes_raw()
    for spelling in (b64(private), private.hex(), base64.b64encode(private).decode()):
        assert spelling not in served.get_data(as_text=True)
