"""Releases that go with whatever the process asks of Redis next: nobody is shown what was before, and nothing is lost."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest

from app.core.cache_keys import cache_key
from app.core.generations import is_held
from app.core.telemetry import start_request
from tests.fixtures.processes import PLANNED, Process, jobs


@pytest.fixture
def process(uow, queue, settings):
    made = Process(settings.redis_url.get_secret_value(), uow, queue)
    made.invalidator.late.begin()
    yield made
    made.gate.close()


@pytest.fixture
def is_held_now(redis_client):
    return lambda owner="p1": is_held((redis_client.get(cache_key("project", owner)) or b"").decode())


def change(process, uow, owner="p1"):
    with uow:
        process.invalidator.after_commit("project", owner)


def test_until_the_release_everybody_reads_anew_and_keeps_nothing(process, other, uow, is_held_now):
    assert other.reads("old") == "old"
    change(process, uow)
    assert is_held_now()
    assert [other.reads(each) for each in ("new", "newer")] == ["new", "newer"]
    process.gate.ask(("PING",))
    assert not is_held_now()
    assert [other.reads(each) for each in ("newest", "never asked")] == ["newest", "newest"]


def test_the_process_itself_keeps_what_it_reads_next(process, uow):
    process.reads("old")
    change(process, uow)
    assert [process.reads(each) for each in ("new", "never asked")] == ["new", "new"]


def test_a_change_asks_redis_once(process, uow):
    stats = start_request(None)
    change(process, uow)
    assert stats.redis_calls == 1
    change(process, uow)
    assert stats.redis_calls == 2


def test_a_change_after_a_change_holds_anew(process, other, uow, is_held_now):
    for number in range(5):
        change(process, uow)
        assert is_held_now()
        assert other.reads(number) == number
    process.invalidator.late.do()
    assert not is_held_now()


def test_when_nobody_asks_it_is_done_in_the_idle_moment(process, uow, is_held_now):
    late = process.invalidator.late
    assert late.due(idle=True) is False
    change(process, uow)
    assert (late.due(idle=False), late.due(idle=True)) == (False, True)
    late.do()
    assert not is_held_now()
    assert late.due(idle=True) is False


def test_redis_that_goes_away_before_the_release_leaves_a_job(process, other, uow, queue, is_held_now):
    other.reads("old")
    change(process, uow)
    process.goes_without_redis()
    assert process.gate.ping() is False
    assert jobs(queue) == []
    assert process.invalidator.late.due(idle=False) is True
    process.invalidator.late.do()
    assert jobs(queue) == PLANNED
    assert process.invalidator.late.due(idle=True) is False
    process.has_redis_again()
    queue.work()
    assert queue.rows() == []
    assert not is_held_now()
    assert other.reads("new") == "new"


def test_redis_that_is_found_away_at_the_commit_leaves_a_job_at_once(process, uow, queue):
    with uow:
        uow.after_commit(process.goes_without_redis)
        process.invalidator.after_commit("project", "p1")
    assert jobs(queue) == PLANNED


def test_without_redis_the_job_goes_with_the_change_as_ever(process, uow, queue):
    process.goes_without_redis()
    change(process, uow)
    assert jobs(queue) == PLANNED
    assert process.invalidator.late.due(idle=True) is False


def test_a_rollback_owes_nothing(process, uow):
    with pytest.raises(ZeroDivisionError), uow:
        process.invalidator.after_commit("project", "p1")
        raise ZeroDivisionError
    assert process.invalidator.late.due(idle=True) is False


def test_a_database_that_is_away_as_well_stops_nobody(process, uow, monkeypatch, caplog):
    """The hold ends by itself, and its thing has a new generation then."""
    change(process, uow)
    process.goes_without_redis()

    def refuse(*_args, **_options):
        raise ConnectionError

    monkeypatch.setattr(process.invalidator, "_jobs", type("Jobs", (), {"defer": refuse})())
    process.invalidator.late.do()
    assert "changes_not_told" in caplog.text
    assert process.invalidator.late.due(idle=True) is False


def test_changes_of_many_threads_are_all_released(process, uow, queue, at_once, redis_client):
    def change_some(number):
        for turn in range(10):
            change(process, uow, f"p{(number + turn) % 6}")

    at_once(4, change_some)
    process.invalidator.late.do()
    queue.work()  # where the machine was so busy that Redis missed a time limit
    words = [redis_client.get(cache_key("project", f"p{number}")) or b"" for number in range(6)]
    assert not [word for word in words if is_held(word.decode())]


def test_many_threads_may_do_it_at_once(process, uow, at_once, queue):
    late = process.invalidator.late
    for number in range(40):
        late._untold.append(([("project", f"p{number}")], "word"))
    at_once(4, lambda _number: late.do())
    assert sorted(changed[0][1] for _name, changed in jobs(queue)) == sorted(f"p{n}" for n in range(40))


def test_what_is_no_answer_stops_nobody(process, uow, monkeypatch, caplog):
    change(process, uow)

    def babble(*_told):
        raise TypeError

    monkeypatch.setattr(process.gate, "_ask", babble)
    process.invalidator.late.do()
    assert "changes_not_told" in caplog.text


def test_after_the_end_it_releases_at_once(process, uow, is_held_now):
    change(process, uow)
    process.invalidator.late.end()
    assert not is_held_now()
    change(process, uow)
    assert not is_held_now()


def test_who_did_not_begin_releases_at_once(other, uow, is_held_now):
    change(other, uow)
    assert not is_held_now()
    assert other.invalidator.late.due(idle=True) is False


def test_a_release_that_arrives_again_revives_nothing(process, other, uow, redis_client):
    """As when the connection broke after Redis had done it, and somebody else made a change before it was sent again."""
    generations, changed = process.cache.generations, [("project", "p1")]
    generations.hold(changed, "first")
    generations.release(changed, "first")
    assert other.reads("between") == "between"
    generations.hold(changed, "second")
    generations.release(changed, "second")
    generations.release(changed, "first")
    assert redis_client.get(cache_key("project", "p1")) != b"first"
    assert other.reads("after") == "after"


def test_a_release_that_arrives_again_ends_nobody_elses_hold(process, is_held_now):
    generations, changed = process.cache.generations, [("project", "p1")]
    generations.hold(changed, "first")
    generations.release(changed, "first")
    generations.hold(changed, "second")
    generations.release(changed, "first")
    assert is_held_now()
