"""Keys in Redis: no two things share one, each has an end, none tells a name (SEC-43)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cache_keys import SCHEMA, cache_key
from tests.fixtures.properties import quick

PARTS = st.lists(st.text("ab:\x00\x01\x04ü", max_size=6), min_size=1, max_size=4)


def test_every_key_has_a_time_to_live_after_use(alice, bob, charlie, joins, redis_client):
    """SEC-43, over the application's own traffic: facts, generations, rate windows."""
    project = alice.creates()
    joins(bob, project, "viewer")
    for person in (alice, bob, charlie):
        for _ in range(2):
            person.get(f"/projects/{project.id}")
            person.get("/projects?expand=owner")
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers={"Idempotency-Key": "k"})
    bob.delete(f"/auth/sessions/{bob.session_id}")
    keys = redis_client.keys()
    assert {key.split(b":")[0] for key in keys} == {SCHEMA.encode(), b"hfl"}
    assert {key.split(b":")[1] for key in keys if key.startswith(SCHEMA.encode())} == {
        b"project", b"projects_of",
    }  # fmt: skip
    assert [key for key in keys if redis_client.ttl(key) < 0] == []


def test_no_name_and_no_token_stands_in_a_key_or_value(alice, redis_client):
    project = alice.creates("Reef survey")
    alice.get(f"/projects/{project.id}")
    for key in redis_client.scan_iter():
        assert alice.token.encode() not in key + (redis_client.get(key) or b"")
        assert alice.email.encode() not in key + (redis_client.get(key) or b"")
        assert b"Reef" not in key


@quick
@given(PARTS, PARTS)
def test_two_lists_of_parts_make_one_key_only_when_they_are_one(one, other):
    """SEC-43: no separator, no length and no letter makes two things one."""
    assert (cache_key(*one) == cache_key(*other)) == (one == other)


@quick
@given(
    st.lists(
        st.sampled_from(["", "a", "b", ":", "a:", ":b", "\x00", "\x01", "\x00\x00\x00\x01"]),
        min_size=1,
        max_size=4,
    )
)
def test_no_way_of_cutting_the_same_letters_makes_the_same_key(parts):
    joined = "".join(parts)
    for cut in range(len(joined) + 1):
        other = [joined[:cut], joined[cut:]]
        if other != parts:
            assert cache_key(*other) != cache_key(*parts)


def test_100000_pairs_of_parts_make_100000_keys():
    """SEC-43, by count: every pair of 317 words over a small alphabet that is made to confuse."""
    letters = ["a", "b", ":", "\x00", "\x04"]
    words = [""]
    while len(words) < 317:
        words += [word + letter for word in words for letter in letters]
        words = list(dict.fromkeys(words))
    words = words[:317]
    keys = {cache_key(one, other) for one in words for other in words}
    assert len(keys) == 317 * 317 > 100_000


@pytest.mark.parametrize("key", [cache_key("project", "x"), cache_key("session", "x" * 10_000, "ü")])
def test_a_key_is_short_and_names_its_schema_and_kind(key):
    schema, kind, digest = key.split(":")
    assert (schema, len(digest)) == (SCHEMA, 32)
    assert kind in {"project", "session"}
