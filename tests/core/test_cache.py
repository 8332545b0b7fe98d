"""The cache of facts: generations, times to live, keys, and what happens without Redis (SEC-43)."""

import time

import pytest

from app.core.cache import FACT_TTL_MS, entry_key
from app.core.cache_keys import cache_key
from app.core.facts import FactKind
from tests.fixtures.facts import Source

PLAIN = FactKind("project")


def fetch(cache, source, owner="p1", variant="alice"):
    return cache.fetch(PLAIN, owner, variant, source.load)["value"]


def how(lookups):
    return [outcome for _namespace, outcome in lookups]


def test_a_fact_is_loaded_once_and_shared_between_processes(make_cache, lookups):
    source, one, two = Source(), make_cache(), make_cache()
    assert [fetch(one, source), fetch(one, source), fetch(two, source)] == ["old"] * 3
    assert source.asked == 1
    assert lookups == [("project", "miss"), ("project", "hit"), ("project", "hit")]


def test_a_warm_look_is_one_round_trip(make_cache, monkeypatch):
    cache, source = make_cache(), Source()
    fetch(cache, source)
    calls, ask = [], cache._gate.ask
    monkeypatch.setattr(cache._gate, "ask", lambda *commands: calls.append(commands) or ask(*commands))
    fetch(cache, source)
    assert len(calls) == 1


def test_namespaces_owners_and_variants_are_apart(cache):
    source = Source()
    for namespace, owner, variant in [("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("z", "b", "c")]:
        source.value = (namespace, owner, variant)
        found = cache.fetch(FactKind(namespace), owner, variant, source.load)["value"]
        assert tuple(found) == (namespace, owner, variant)
    assert source.asked == 4


def test_after_a_change_every_process_loads_anew(make_cache):
    source, writer, reader = Source(), make_cache(), make_cache()
    assert [fetch(writer, source), fetch(reader, source)] == ["old", "old"]
    source.value = "new"
    writer.generations.release([("project", "p1")])
    assert [fetch(reader, source), fetch(writer, source)] == ["new", "new"]
    assert source.asked == 2


def test_a_change_forgets_every_variant_of_its_owner_and_nothing_else(cache):
    source = Source()
    for owner, variant in (("p1", "alice"), ("p1", "bob"), ("p2", "alice")):
        fetch(cache, source, owner, variant)
    source.value = "new"
    cache.generations.release([("project", "p1")])
    assert fetch(cache, source, "p1", "alice") == fetch(cache, source, "p1", "bob") == "new"
    assert fetch(cache, source, "p2", "alice") == "old"


@pytest.mark.parametrize("known_before", [True, False])
def test_a_reader_that_loads_before_a_commit_and_stores_after_it_revives_nothing(make_cache, known_before):
    """The race that delete-after-commit loses: the old row arrives in the cache after the new one was told."""
    reader, writer, source = make_cache(), make_cache(), Source()
    if known_before:
        fetch(writer, source, variant="somebody else")

    def commit():
        source.meanwhile = lambda: None
        source.value = "new"
        writer.generations.release([("project", "p1")])

    source.meanwhile = commit
    assert fetch(reader, source) == "old"
    assert fetch(reader, source) == "new"
    assert fetch(writer, source) == "new"


def test_two_changes_while_one_reader_loads_revive_nothing(make_cache):
    reader, writer, source = make_cache(), make_cache(), Source()

    def commit():
        source.meanwhile = lambda: None
        writer.generations.release([("project", "p1")])
        fetch(writer, source)
        source.value = "new"
        writer.generations.release([("project", "p1")])

    source.meanwhile = commit
    fetch(reader, source)
    assert fetch(reader, source) == "new"


def test_a_generation_that_redis_evicted_cannot_come_back(cache, redis_client):
    """A counter would begin at the same number again and take the old value for a fresh one."""
    source = Source()
    fetch(cache, source)
    stored = entry_key(PLAIN, "p1", "alice")
    old = redis_client.get(stored)
    source.value = "new"
    cache.generations.release([("project", "p1")])
    redis_client.delete(cache_key("project", "p1"))
    assert fetch(cache, source) == "new"
    redis_client.set(stored, old)
    assert fetch(cache, source) == "new"


def test_two_releases_take_no_facts_of_each_other_and_forget_together(make_cache):
    """One gives its facts another name more than the other while it takes over from it."""
    older, newer = make_cache(), make_cache()
    source = Source()

    def ask(cache, shape):
        kind = FactKind("project", shape)
        return cache.fetch(kind, "p1", "alice", lambda: dict.fromkeys(shape, source.load()["value"]))

    for _ in range(2):
        assert ask(older, ("value",)) == {"value": "old"}
        assert ask(newer, ("value", "more")) == {"value": "old", "more": "old"}
    source.value = "new"
    older.generations.release([("project", "p1")])
    assert ask(older, ("value",)) == {"value": "new"}
    assert ask(newer, ("value", "more")) == {"value": "new", "more": "new"}


def test_two_readers_that_miss_at_once_agree_on_one_generation(make_cache, at_once):
    source, caches = Source(), [make_cache() for _ in range(8)]
    assert at_once(8, lambda number: fetch(caches[number], source)) == ["old"] * 8
    asked = source.asked
    assert [fetch(cache, source) for cache in caches] == ["old"] * 8
    assert source.asked == asked


def test_nothing_is_not_kept(cache):
    asked = []
    for _ in range(2):
        assert cache.fetch(PLAIN, "p1", "x", lambda: asked.append(1)) is None
    assert len(asked) == 2


def test_an_error_of_the_source_goes_on_and_nothing_is_kept(cache):
    with pytest.raises(ZeroDivisionError):
        cache.fetch(PLAIN, "p1", "alice", lambda: 1 / 0)
    assert fetch(cache, Source("new")) == "new"


def test_a_fact_ends_within_a_second_in_redis(cache, redis_client):
    fetch(cache, Source())
    assert 0 < redis_client.pttl(entry_key(PLAIN, "p1", "alice")) <= FACT_TTL_MS < 1000


def test_without_redis_every_look_loads(make_cache, dead_port, lookups):
    cache, source = make_cache(f"redis://127.0.0.1:{dead_port}/0"), Source()
    assert [fetch(cache, source) for _ in range(3)] == ["old"] * 3
    assert (source.asked, how(lookups)) == (3, ["down"] * 3)


def test_redis_going_away_between_the_look_and_the_store_costs_nothing_but_the_store(make_cache, monkeypatch):
    cache, source = make_cache(), Source()
    source.meanwhile = lambda: monkeypatch.setattr(cache._gate, "_open_until", time.monotonic() + 60)
    assert fetch(cache, source) == "old"


def test_switched_off_it_loads_always(make_cache, redis_client):
    cache, source = make_cache(enabled=False), Source()
    for _ in range(3):
        fetch(cache, source)
    assert source.asked == 3
    assert redis_client.keys() == []
