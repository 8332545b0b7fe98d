"""Facts that come along with another question: one round trip for both, and never an answer to the request before."""

import pytest

from app.core.cache import FactCache
from app.core.facts import FactKind
from app.core.redis_gate import RedisGate, RedisUnavailableError

PROJECT, OTHER = FactKind("project"), FactKind("other")


class Loads:
    def __init__(self):
        self.value, self.times = "old", 0

    def __call__(self):
        self.times += 1
        return self.value


@pytest.fixture
def gate(app, settings):
    gate = RedisGate(settings.redis_url.get_secret_value())
    yield gate
    gate.close()


@pytest.fixture
def cache(gate):
    return FactCache(gate, enabled=True, told_at=lambda: None, on_lookup=lambda *_told: None)


@pytest.fixture
def asked(gate, monkeypatch):
    """How often Redis was asked, and with how many commands."""
    counts, ask = [], gate._ask
    monkeypatch.setattr(gate, "_ask", lambda commands: counts.append(len(commands)) or ask(commands))
    return counts


@pytest.fixture
def load():
    return Loads()


def fetch(cache, load):
    return cache.fetch(PROJECT, "ahead", "alice", load)


def expect(cache):
    cache.begin_anew()
    cache.expect(PROJECT, "ahead", "alice")


def test_what_was_expected_costs_no_round_trip_of_its_own(cache, gate, load, asked):
    fetch(cache, load)
    asked.clear()
    expect(cache)
    gate.ask(("PING",))
    assert fetch(cache, load) == "old"
    assert (asked[0], load.times) == (2, 1)


def test_a_change_between_two_requests_is_seen(cache, gate, load):
    fetch(cache, load)
    expect(cache)
    gate.ask(("PING",))
    cache.generations.release([("project", "ahead")])
    load.value = "new"
    expect(cache)
    gate.ask(("PING",))
    assert fetch(cache, load) == "new"


def test_what_one_request_did_not_need_is_no_news_for_the_next(cache, gate, load):
    fetch(cache, load)
    expect(cache)
    gate.ask(("PING",))
    cache.generations.release([("project", "ahead")])
    load.value = "new"
    cache.begin_anew()
    assert fetch(cache, load) == "new"


def test_what_was_fetched_once_is_asked_for_again(cache, gate, load):
    fetch(cache, load)
    expect(cache)
    gate.ask(("PING",))
    fetch(cache, load)
    cache.generations.release([("project", "ahead")])
    load.value = "new"
    assert fetch(cache, load) == "new"


def test_what_nobody_asked_along_is_not_sent_with_a_later_question(cache, gate, asked):
    expect(cache)
    cache.begin_anew()
    gate.ask(("PING",))
    assert asked == [1]


def test_two_facts_come_along_in_their_order(cache, gate, load, asked):
    fetch(cache, load)
    cache.fetch(OTHER, "s", "", lambda: "another")
    cache.clear()
    expect(cache)
    cache.expect(OTHER, "s", "")
    asked.clear()
    gate.ask(("PING",), ("PING",))
    assert fetch(cache, load) == "old"
    assert cache.fetch(OTHER, "s", "", lambda: "anew") == "another"
    assert asked == [4]


def test_d6_without_redis_they_are_loaded(dead_port, load):
    gate = RedisGate(f"redis://127.0.0.1:{dead_port}/0")
    cache = FactCache(gate, enabled=True, told_at=lambda: None, on_lookup=lambda *_told: None)
    expect(cache)
    with pytest.raises(RedisUnavailableError):
        gate.ask(("PING",))
    assert fetch(cache, load) == "old"
    gate.close()
