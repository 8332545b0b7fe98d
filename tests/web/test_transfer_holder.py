"""Whom a request counts for while nobody has looked whether that is true."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.transfer_holder import holder_of

PEER = ("203.0.113.7", 50_000)


def holder(*headers, query="", peer=PEER, of_token=lambda _token: None):
    return holder_of(SimpleNamespace(headers=headers, query=query), peer, of_token)


def test_an_anonymous_caller_is_known_by_the_network_of_his_address():
    assert holder() == "address:203.0.113.7/32"
    assert holder(peer=("2001:db8::1", 1, 0, 0)) == holder(peer=("2001:db8::2", 1, 0, 0))
    assert holder(peer="") == "address:unknown"


def test_an_access_token_names_its_account_in_every_session(alice):
    for person in (alice, alice.signs_in_again()):
        assert holder(("AUTHORIZATION", f"Bearer {person.token}")) == f"account:{alice.user.id}"


def test_another_credential_stands_for_itself_and_is_kept_nowhere():
    one, other = (holder(("AUTHORIZATION", f"Bearer hf_{letter * 49}")) for letter in "ab")
    assert one != other
    assert "aaaa" not in one


def test_a_token_of_a_query_names_the_account_it_was_made_for():
    assert holder(query="a=1&token=kelp", of_token={"kelp": "alice"}.get) == "account:alice"
    assert holder(query="a=1&token=kelp") == holder()


@pytest.mark.parametrize("query", ["&".join("token=a" for _ in range(200)), "token", "token=%ff", "%"])
def test_a_strange_query_is_nobodys(query):
    assert holder(query=query) == holder()


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_head_is_too_strange(credential, query):
    assert ":" in holder(("AUTHORIZATION", credential), query=query)
    assert ":" in holder(query=query)
