"""Jobs that fail: conflicts run again at once, failures later and so often, and what failed for good is swept."""

import threading

import pytest

from app.core.db_errors import RetryableConflict
from app.core.jobs import TRIES_ON_CONFLICT
from tests.fixtures.queue import DONE, Handler, states


@pytest.mark.parametrize("conflicts", range(1, TRIES_ON_CONFLICT))
def test_when_transactions_met_the_whole_handler_runs_again_at_once(queue, asks_for, conflicts):
    handler = Handler(*[RetryableConflict() for _ in range(conflicts)])
    queue.register("test.job", handler)
    asks_for("test.job", id="1")
    queue.work()
    assert handler.calls == [{"id": "1"}] * (conflicts + 1)
    assert queue.rows() == DONE


def test_a_conflict_that_stays_is_tried_three_times_and_again_later(queue, asks_for):
    handler = Handler(*[RetryableConflict() for _ in range(TRIES_ON_CONFLICT)])
    queue.register("test.job", handler)
    asks_for("test.job", id="1")
    queue.work()
    assert len(handler.calls) == TRIES_ON_CONFLICT == 3
    assert states(queue) == [("test.job", "todo", 1)]
    queue.make_due()
    queue.work()
    assert queue.rows() == DONE


def test_two_real_transactions_that_deadlock_in_jobs_both_get_done(queue, uow, add, parts, sql):
    """One of them is chosen by PostgreSQL to fail; it runs again."""
    from sqlalchemy import text

    with uow:
        add("one")
        add("two")
    both_hold, one_done, ran = threading.Barrier(2), threading.Event(), []

    def handler(first, second):
        ran.append(first)
        if len(ran) > 2:
            one_done.wait(10)  # else it may lock its first row before the other one wakes, and meet it again
        with uow:
            for step, word in enumerate((first, second)):
                uow.session.execute(
                    text("UPDATE throttle_counters SET hits = hits + 1 WHERE key = :key"),
                    {"key": word.encode()},
                )
                if not step and len(ran) <= 2:
                    both_hold.wait(10)

    def run(number):
        words = ("one", "two") if number else ("two", "one")
        queue._run("test.job", handler, None, {"first": words[0], "second": words[1]})
        one_done.set()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ran) == 3
    assert sql("SELECT hits FROM throttle_counters") == [(3,), (3,)]


def test_a_failure_is_tried_again_later_and_so_often_in_all(queue, asks_for):
    handler = Handler(*[OSError() for _ in range(9)])
    queue.register("test.job", handler, attempts=3)
    asks_for("test.job", id="1")
    for tries in (1, 2):
        queue.work()
        assert states(queue) == [("test.job", "todo", tries)]
        queue.make_due()
    queue.work()
    assert states(queue) == [("test.job", "failed", 3)]
    assert len(handler.calls) == 3


def test_one_attempt_is_one(queue, asks_for):
    handler = Handler(OSError())
    queue.register("test.job", handler, attempts=1)
    asks_for("test.job", id="1")
    queue.work()
    assert states(queue) == [("test.job", "failed", 1)]


def test_the_pauses_between_tries_grow(queue, asks_for, sql):
    queue.register("test.job", Handler(*[OSError() for _ in range(9)]))
    asks_for("test.job", id="1")
    for expected in (2, 4, 8, 16):
        queue.work()
        [(pause,)] = sql(
            "SELECT extract(epoch FROM scheduled_at - clock_timestamp()) FROM procrastinate_jobs"
        )
        assert expected / 2 - 1 < pause <= expected
        queue.make_due()


def test_a_failed_job_does_not_stop_the_next(queue, asks_for):
    good = Handler()
    queue.register("test.bad", Handler(ZeroDivisionError()), attempts=1)
    queue.register("test.good", good)
    asks_for("test.bad")
    asks_for("test.good")
    queue.work()
    assert len(good.calls) == 1
    assert states(queue) == [("test.bad", "failed", 1)]


def age(sql, days):
    sql("UPDATE procrastinate_events SET at = at - %s::interval", (f"{days} days",))


def test_failed_jobs_go_after_seven_days_and_waiting_ones_stay(queue, uow, asks_for, sql):
    queue.register("test.bad", Handler(OSError()), attempts=1)
    queue.register("test.waits", Handler())
    asks_for("test.bad", id="old")
    queue.work()
    asks_for("test.waits", id="old")
    age(sql, 6.9)
    with uow:
        assert queue.sweep() == 0
    age(sql, 0.2)
    with uow:
        assert queue.sweep() == 1
    assert states(queue) == [("test.waits", "todo", 0)]


def test_the_sweep_takes_a_failed_periodic_job_too(queue, uow, sql):
    """The periodic table points at the job; that must not keep it."""
    queue.register("test.hourly", Handler(OSError()), attempts=1, cron="0 * * * *")
    sql(
        "SELECT procrastinate_defer_periodic_job_v2('default', NULL, 'test.hourly', 'test.hourly', 0, '', 1, '{}')"
    )
    queue.work()
    assert ("test.hourly", "failed", 1) in states(queue)
    age(sql, 8)
    with uow:
        assert queue.sweep() >= 1
    assert "failed" not in [state for _name, state, _tries in states(queue)]
