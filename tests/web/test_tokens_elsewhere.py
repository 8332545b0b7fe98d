"""SEC-24: another service verifies our tokens by the JWKS alone, with the example of docs/operations.md as it stands there."""

import jwt
import pytest

from tests.docs.pages import DOCS, fences, read, section


@pytest.fixture
def elsewhere(anonymous, parts, monkeypatch):
    """The example's function; only the host in it is another, and the keys come over the test's own wire."""
    (example,) = fences(section(read(DOCS / "operations.md"), "Other services verify our tokens"), "python")
    asked = []

    def fetch(self):
        asked.append(self.uri)
        found = anonymous.get("//.well-known/jwks.json").json
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(found)
        return found

    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", fetch)
    names = {}
    exec(example.replace("https://api.example.com", parts.settings.issuer), names)
    return names["who_calls"], asked


def test_sec_24_a_good_token_tells_whose_it_is_and_keys_are_kept(elsewhere, alice, bob):
    who_calls, asked = elsewhere
    assert who_calls(alice.token) == str(alice.user.id)
    assert who_calls(bob.token) == str(bob.user.id)
    assert len(asked) == 1


def test_sec_24_other_tokens_are_none(elsewhere, alice):
    who_calls, _ = elsewhere
    head, body, signature = alice.token.split(".")
    for token in (
        alice.refresh_token,
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body[::-1]}.{signature}",
        "a.b.c",
    ):
        with pytest.raises(jwt.PyJWTError):
            who_calls(token)
