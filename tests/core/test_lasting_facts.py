"""Facts that are kept for minutes: only while nothing can have been lost (docs/decisions/0039-facts-that-last.md)."""

import time
from threading import Barrier, Thread

import pytest

from app.core import cache as cache_module
from app.core.cache import FACT_TTL_MS, LARGEST, LIFE_MS, entry_key
from app.core.cache_keys import cache_key
from app.core.facts import FactKind
from app.core.generations import HOLD_TTL
from tests.fixtures.facts import LONG_AGO, Source

KIND = FactKind("project", lasting=True)
MINUTE = 60.0


def fetch(cache, source):
    return cache.fetch(KIND, "p1", "alice", source.load)["value"]


def changes(writer, source, value="new", word="of-the-change"):
    """As ``Invalidator`` does it around a commit."""
    writer.generations.hold([("project", "p1")], word)
    source.value = value
    writer.generations.release([("project", "p1")], word)


@pytest.fixture
def redis_has(redis_client):
    """What Redis keeps of the facts, in milliseconds that are left."""
    return lambda: redis_client.pttl(entry_key(KIND, "p1", "alice"))


def how(lookups):
    return [outcome for _namespace, outcome in lookups]


def test_they_are_taken_for_minutes_and_confirmed_each_time(make_cache, wall, lookups, asked_of):
    cache, source = make_cache(), Source()
    fetch(cache, source)
    wall(MINUTE)
    commands = asked_of(cache)
    assert fetch(cache, source) == "old"
    assert (source.asked, how(lookups)) == (1, ["miss", "confirmed"])
    assert commands == [[("MGET", cache_key("project", "p1"))]]


def test_another_process_takes_them_from_redis(make_cache, wall, lookups):
    source = Source()
    fetch(make_cache(), source)
    wall(MINUTE)
    assert fetch(make_cache(), source) == "old"
    assert (source.asked, how(lookups)) == (1, ["miss", "hit"])


def test_they_end(cache, wall, redis_has):
    source = Source()
    fetch(cache, source)
    assert FACT_TTL_MS < redis_has() <= LIFE_MS
    wall(LIFE_MS / 1000)
    source.value = "new"
    assert fetch(cache, source) == "new"


def test_a_change_ends_them_in_every_process_at_once(make_cache, wall):
    source, writer, reader = Source(), make_cache(), make_cache()
    assert [fetch(writer, source), fetch(reader, source)] == ["old", "old"]
    wall(MINUTE)
    changes(writer, source)
    assert [fetch(reader, source), fetch(writer, source)] == ["new", "new"]
    wall(MINUTE)
    assert [fetch(reader, source), fetch(writer, source)] == ["new", "new"]


def test_while_a_change_waits_to_be_told_they_last_a_second(make_cache, wall):
    told, source = [True], Source()
    cache, other = (make_cache(told_at=lambda: LONG_AGO if told[0] else None) for _ in range(2))
    fetch(cache, source)
    wall(MINUTE)
    told[0] = False
    source.value = "new"
    assert [fetch(cache, source), fetch(other, source)] == ["new", "new"]
    source.value = "newer"
    wall(0.5)
    assert fetch(cache, source) == "new"
    wall(0.5)
    assert fetch(cache, source) == "newer"


def test_what_is_read_while_a_change_is_under_way_is_not_kept(make_cache, redis_client):
    """It may be of before or after the commit, and its writer may die before it tells which."""
    source, writer, reader = Source(), make_cache(), make_cache()
    writer.generations.hold([("project", "p1")], "ofthedead")
    for value in ("old", "new", "newer"):
        source.value = value
        assert [fetch(reader, source), fetch(writer, source)] == [value, value]
    assert list(redis_client.scan_iter()) == [cache_key("project", "p1").encode()]


def test_what_was_kept_before_a_change_is_not_taken_during_it_nor_after(make_cache):
    source, writer, reader = Source(), make_cache(), make_cache()
    fetch(reader, source)
    writer.generations.hold([("project", "p1")], "word")
    source.value = "new"
    assert fetch(reader, source) == "new"
    writer.generations.release([("project", "p1")], "word")
    assert [fetch(reader, source), fetch(writer, source)] == ["new", "new"]


def test_a_hold_ends_by_itself_and_revives_nothing(make_cache, redis_client):
    source, writer, reader = Source(), make_cache(), make_cache()
    fetch(reader, source)
    writer.generations.hold([("project", "p1")], "ofthedead")
    assert 0 < redis_client.ttl(cache_key("project", "p1")) <= HOLD_TTL
    redis_client.delete(cache_key("project", "p1"))
    source.value = "new"
    assert fetch(reader, source) == "new"


def test_who_reads_while_a_change_is_under_way_joins_nobody_who_began_before_its_commit(make_cache):
    """Bob's read began before the commit; Alice reads after hers was answered, and it is still held by another."""
    cache, writer, source = make_cache(), make_cache(), Source()
    writer.generations.hold([("project", "p1")], "word")
    alice_found, both = [], Barrier(2, timeout=10)

    def commit():
        source.meanwhile = lambda: None
        source.value = "new"
        alice = Thread(
            target=lambda: alice_found.append(cache.fetch(KIND, "p1", "alice", reads_too)), daemon=True
        )
        alice.start()
        both.wait()  # she loads by herself, while Bob's load has not ended
        alice.join(10)

    def reads_too():
        both.wait()
        return source.load()

    source.meanwhile = commit
    assert fetch(cache, source) == "old"
    assert [found["value"] for found in alice_found] == ["new"]


def test_what_was_read_before_the_commit_and_stored_after_it_is_not_taken(make_cache):
    source, writer, reader = Source(), make_cache(), make_cache()

    def commit():
        source.meanwhile = lambda: None
        changes(writer, source)

    source.meanwhile = commit
    assert fetch(reader, source) == "old"
    assert [fetch(reader, source), fetch(writer, source)] == ["new", "new"]


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_what_several_hold_is_held_until_the_last_has_let_it_go(make_cache, redis_client, order):
    """As somebody's list is, when two of their projects change at once: neither knows of the other."""
    key, cache, source = cache_key("project", "p1"), make_cache(), Source()
    for word in ("first", "second"):
        make_cache().generations.hold([("project", "p1")], word)
    for word, value in zip(order, ("old", "new"), strict=True):
        source.value = value
        fetch(cache, source)
        assert redis_client.get(key).startswith(b"~")
        cache.generations.release([("project", "p1")])
        assert redis_client.get(key).startswith(b"~"), "a job that tells an older change ends nobody's hold"
        make_cache().generations.release([("project", "p1")], word)
    assert not redis_client.get(key).startswith(b"~")
    source.value = "newer"
    assert fetch(cache, source) == "newer"


def test_one_that_died_holds_nothing_for_long_whoever_holds_it_meanwhile(make_cache, redis_client):
    """Its word has an end of its own, which others do not put off."""
    key, cache = cache_key("project", "p1"), make_cache()
    cache.generations.hold([("project", "p1")], "ofthedead")
    word, ends = redis_client.get(key)[1:].decode().split("@")
    seconds, _micros = redis_client.time()
    assert (word, int(ends) - seconds <= HOLD_TTL) == ("ofthedead", True)
    redis_client.set(key, f"~ofthedead@{seconds - 1}", ex=60)
    cache.generations.hold([("project", "p1")], "alive")
    assert b"ofthedead" not in redis_client.get(key)
    cache.generations.release([("project", "p1")], "alive")
    assert not redis_client.get(key).startswith(b"~")


def test_many_changes_are_held_in_one_round_trip(cache, redis_client, asked_of):
    commands = asked_of(cache)
    cache.generations.hold([("project", f"p{number}") for number in range(20)], "word")
    assert [len(asked) for asked in commands] == [1]
    held = [redis_client.get(cache_key("project", f"p{number}")) for number in range(20)]
    assert all(each.startswith(b"~word@") for each in held)


def test_another_life_of_redis_vouches_for_nothing(make_cache, wall):
    """It may have come up with what was saved minutes ago: facts, and a generation that has moved since."""
    cache, other, source = make_cache(), make_cache(), Source()
    fetch(cache, source)
    fetch(other, source)
    wall(MINUTE)
    for link in [*cache._gate._idle, *other._gate._idle]:
        link.server = "another-life"
    source.value = "new"
    assert fetch(cache, source) == "new"
    assert fetch(other, source) == "new"
    wall(MINUTE)
    assert source.asked == 2
    assert fetch(cache, source) == "new"
    assert source.asked == 2


def test_redis_that_does_not_say_who_it_is_vouches_for_nothing(make_cache, wall):
    cache, source = make_cache(), Source()
    cache._gate.ping()
    for link in cache._gate._idle:
        link.server = None
    fetch(cache, source)
    wall(0.5)
    assert fetch(cache, source) == "old"
    source.value = "new"
    wall(0.5)
    assert fetch(cache, source) == "new"


def test_what_redis_lost_is_loaded_anew(make_cache, redis_client):
    cache, source = make_cache(), Source()
    fetch(cache, source)
    redis_client.flushdb()
    source.value = "new"
    assert fetch(cache, source) == "new"


def test_a_copy_that_went_between_the_question_and_the_look_is_asked_for(make_cache, lookups):
    """Another thread made room meanwhile; the generation alone came along."""
    cache, source = make_cache(), Source()
    fetch(cache, source)
    cache.begin_anew()
    cache.expect(KIND, "p1", "alice")
    cache._gate.ask(("PING",))
    cache.clear()
    assert fetch(cache, source) == "old"
    assert (source.asked, how(lookups)) == (1, ["miss", "hit"])


def test_a_change_that_is_told_between_the_two_questions_is_seen(make_cache, wall):
    """The generation was asked for ahead; then a job tells the change, and nothing waits to be told any more."""
    source, writer, asked = Source(), make_cache(), []

    def told_at():
        if not asked:
            asked.append(True)
            source.value = "new"
            writer.generations.release([("project", "p1")])
        return time.monotonic()

    reader = make_cache(told_at=told_at)
    fetch(reader, source)
    wall(MINUTE)
    assert fetch(reader, source) == "new"


def test_an_age_that_another_clock_tells_proves_nothing(make_cache, wall, monkeypatch):
    """SEC-43: a machine whose clock is behind must not take what waits to be told for young."""
    source, writer = Source(), make_cache()
    fetch(writer, source)
    here = cache_module.wall_seconds
    monkeypatch.setattr(cache_module, "wall_seconds", lambda: here() - 3600)
    source.value = "new"
    assert fetch(make_cache(told_at=lambda: None), source) == "new"


def test_a_process_knows_of_its_own_changes_without_redis(make_cache):
    source, cache = Source(), make_cache()
    fetch(cache, source)
    source.value = "new"
    cache.forget_here("project", "p1")
    assert fetch(cache, source) == "new"


def test_what_people_write_at_length_neither_lasts_nor_stays(make_cache, redis_has):
    """Memory is counted in entries; those of a few letters are what that counts."""
    cache, source = make_cache(), Source("x" * LARGEST)
    fetch(cache, source)
    assert 0 < redis_has() <= FACT_TTL_MS
    assert len(cache._lasting) == 0
