"""The clock: UTC, an offset that all processes share, real time for caches (trap: time that SQL makes up)."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.clock import Clock, from_timestamp, wall_seconds
from app.core.system import MAX_AGE, SharedClockOffset


def seconds_apart(one, other):
    return abs((one - other).total_seconds())


def test_the_clock_says_utc():
    clock = Clock()
    assert clock.now().tzinfo is UTC
    assert seconds_apart(clock.now(), from_timestamp(wall_seconds())) < 5
    assert abs(clock.timestamp() - wall_seconds()) < 5


def test_an_offset_is_read_at_each_look():
    ahead = [0.0]
    clock = Clock(lambda: ahead[0])
    before = clock.now()
    ahead[0] = 3600.0
    assert timedelta(seconds=3599) < clock.now() - before < timedelta(seconds=3605)
    ahead[0] = -3600.0
    assert clock.now() < before


def test_a_moment_comes_from_seconds_in_utc():
    assert from_timestamp(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_every_process_reads_the_shared_offset(parts, advance):
    other = SharedClockOffset(parts.engines.engine)
    other.refresh()
    assert other() == 0
    advance(days=30)
    assert seconds_apart(parts.clock.now(), from_timestamp(wall_seconds())) > 29 * 86_400
    other.refresh(force=True)
    assert other() == 30 * 86_400


def test_the_offset_is_looked_at_again_within_a_second_and_not_each_time(
    parts, advance, count_queries, monkeypatch
):
    import time

    other, real, ahead = SharedClockOffset(parts.engines.engine), time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    other.refresh()
    advance(hours=1)
    with count_queries() as seen:
        other.refresh()
        other.refresh()
    assert (seen, other()) == ([], 0)
    ahead[0] += MAX_AGE
    other.refresh()
    assert other() == 3600
    assert MAX_AGE < 1


def test_a_database_that_is_away_leaves_the_offset_as_it_was(parts, dead_port, advance):
    from app.core.db import make_engine

    engine = make_engine(parts.settings, f"postgresql+psycopg2://u:p@127.0.0.1:{dead_port}/nothing")
    offset = SharedClockOffset(engine)
    offset.refresh(force=True)
    assert offset() == 0


def test_production_has_no_offset(parts, monkeypatch):
    from app.wiring.engines import Engines

    production = Engines.of(parts.settings.model_copy(update={"app_env": "production"}))
    try:
        assert production.clock._offset is None
    finally:
        production.engine.dispose()
        production.gate.close()


@pytest.mark.parametrize("hours", [1, 24 * 400])
def test_rate_windows_and_cache_entries_do_not_move_with_the_test_clock(alice, advance, redis_client, hours):
    alice.get("/me")
    before = {key: redis_client.pttl(key) for key in redis_client.scan_iter("hfl:*")}
    advance(hours=hours)
    assert before
    assert all(0 < redis_client.pttl(key) <= ttl for key, ttl in before.items())
