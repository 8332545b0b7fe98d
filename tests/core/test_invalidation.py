"""Telling all processes that facts changed: at once, or by a job of the same transaction when Redis is away."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest

from app.core.cache_keys import cache_key
from app.core.facts import FactKind
from tests.fixtures.processes import PLANNED, Process, jobs

FACTS = FactKind("project")


@pytest.fixture
def process(uow, queue, settings):
    made = Process(settings.redis_url.get_secret_value(), uow, queue)
    yield made
    made.gate.close()


def change(process, uow):
    with uow:
        process.invalidator.after_commit("project", "p1")


def test_a_change_reaches_every_process_without_a_job(process, other, uow, queue):
    process.reads("old")
    other.cache.fetch(FACTS, "p1", "alice", lambda: {"value": "old"})
    change(process, uow)
    assert process.reads("new") == "new"
    assert other.reads("newer") == "new"
    assert jobs(queue) == []


def test_a_change_that_is_rolled_back_forgets_nothing(process, uow, queue):
    process.reads("old")
    with pytest.raises(ZeroDivisionError), uow:
        process.invalidator.after_commit("project", "p1")
        raise ZeroDivisionError
    assert process.reads("new") == "old"
    assert jobs(queue) == []


def test_while_redis_is_away_the_job_is_written_in_the_same_transaction(process, uow, queue, add, sql):
    process.goes_without_redis()
    with uow:
        add("one")
        process.invalidator.after_commit("project", "p1")
        assert jobs(queue) == []
    assert jobs(queue) == PLANNED
    assert sql("SELECT count(DISTINCT x) FROM (SELECT xmin::text AS x FROM procrastinate_jobs UNION ALL"
               " SELECT xmin::text FROM throttle_counters) AS found") == [(1,)]  # fmt: skip


def test_the_job_is_gone_with_a_rollback(process, uow, queue):
    process.goes_without_redis()
    with pytest.raises(ZeroDivisionError), uow:
        process.invalidator.after_commit("project", "p1")
        raise ZeroDivisionError
    assert jobs(queue) == []


def test_when_the_hold_fails_the_job_is_written_in_the_same_transaction(uow, queue, dead_port):
    """Redis went away, and this is the call that finds out."""
    process = Process(f"redis://127.0.0.1:{dead_port}/0", uow, queue)
    change(process, uow)
    assert process.gate.open
    assert jobs(queue) == PLANNED
    change(process, uow)
    assert jobs(queue) == PLANNED * 2
    process.gate.close()


def test_when_redis_goes_away_after_the_hold_a_job_of_its_own_is_written(process, uow, queue):
    with uow:
        uow.after_commit(process.goes_without_redis)
        process.invalidator.after_commit("project", "p1")
    assert jobs(queue) == PLANNED


def test_redis_found_away_by_another_thread_between_the_change_and_the_commit_loses_nothing(
    process, uow, queue
):
    """No job was planned, and by the time of the hook the breaker is open."""
    with uow:
        process.invalidator.after_commit("project", "p1")
        process.goes_without_redis()
    assert jobs(queue) == PLANNED


def test_redis_that_is_back_by_the_time_of_the_commit_is_told_at_once(process, other, uow, queue):
    other.cache.fetch(FACTS, "p1", "alice", lambda: {"value": "old"})
    process.goes_without_redis()
    with uow:
        process.invalidator.after_commit("project", "p1")
        process.has_redis_again()
    assert other.cache.fetch(FACTS, "p1", "alice", lambda: {"value": "new"})["value"] == "new"
    assert jobs(queue) == []


def test_the_job_forgets_for_all_and_is_done(process, other, uow, queue):
    other.cache.fetch(FACTS, "p1", "alice", lambda: {"value": "old"})
    process.goes_without_redis()
    change(process, uow)
    process.has_redis_again()
    queue.work()
    assert queue.rows() == []
    assert other.cache.fetch(FACTS, "p1", "alice", lambda: {"value": "new"})["value"] == "new"


def test_the_job_is_tried_again_while_redis_is_away(process, uow, queue):
    process.goes_without_redis()
    change(process, uow)
    for tries in (1, 2):
        queue.work()
        assert [(state, attempts) for _name, state, attempts, _args in queue.rows()] == [("todo", tries)]
        queue.make_due()
    process.has_redis_again()
    queue.work()
    assert queue.rows() == []


def test_the_copy_of_this_process_is_dropped_whatever_redis_does(process, uow):
    process.goes_without_redis()
    process.reads("old")
    change(process, uow)
    assert process.reads("new") == "new"


def test_a_failed_invalidation_never_fails_the_write(alice, make_app, dead_port):
    """SEC-49: over HTTP, with Redis gone; the answer is a 200 and the project reads as written."""
    app = make_app(redis_url=f"redis://127.0.0.1:{dead_port}/0")
    person = alice.signs_in_again(app)
    project = alice.creates()
    assert person.patch(f"/projects/{project.id}", json={"name": "Kelp"}).status_code == 200
    assert person.get(f"/projects/{project.id}").json["name"] == "Kelp"


def test_several_changes_of_one_thing_in_a_transaction_are_one(process, uow, queue, redis_client):
    """Else the second would hold what the first one is to move."""
    with uow:
        for _ in range(3):
            process.invalidator.after_commit("project", "p1")
    assert not redis_client.get(cache_key("project", "p1")).startswith(b"~")
    process.goes_without_redis()
    with uow:
        for _ in range(3):
            process.invalidator.after_commit("project", "p1")
    assert jobs(queue) == PLANNED
