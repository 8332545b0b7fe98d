"""Jobs whose worker died: put back, given up, dropped; those of living workers are left alone."""

import pytest

from app.core.job_rescue import DEATHS, SILENT
from app.sweeps import Sweeps


@pytest.fixture
def rescued(queue, uow):
    """Let the queue look for stalled jobs; how many it found."""

    def run():
        with uow:
            return queue.rescue()

    return run


@pytest.fixture
def in_hand(queue, uow, sql):
    """``in_hand(silent=30)``: one job is in the hands of a worker that showed no sign of life for so long."""

    def begin(silent=None, name="test.job", **options):
        queue.register(name, lambda **_arguments: None, **options)
        with uow:
            queue.defer(name, id="1")
        worker = None
        if silent is not None:
            [(worker,)] = sql(
                "INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (clock_timestamp() - make_interval(secs => %s)) RETURNING id",
                (silent,),
            )
        sql("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (worker,))

    return begin


def states(queue):
    return [(name, state, attempts) for name, state, attempts, _arguments in queue.rows()]


@pytest.mark.parametrize("silent", [None, SILENT + 5], ids=["its worker is gone", "its worker is silent"])
def test_what_a_dead_worker_had_in_hand_waits_again_and_is_done(queue, in_hand, rescued, sql, silent):
    in_hand(silent)
    assert rescued() == 1
    assert states(queue) == [("test.job", "todo", 1)]
    assert sql("SELECT type::text FROM procrastinate_events ORDER BY id") == [
        ("deferred",),
        ("started",),
        ("deferred_for_retry",),
    ]
    queue.work()
    assert queue.rows() == []


def test_what_a_living_worker_has_in_hand_is_its_own(queue, in_hand, rescued):
    in_hand(silent=SILENT - 15)
    assert rescued() == 0
    assert states(queue) == [("test.job", "doing", 0)]


@pytest.mark.parametrize(("attempts", "lives"), [(8, 8), (1, DEATHS)])
def test_a_job_that_ends_its_worker_each_time_is_given_up(queue, in_hand, rescued, sql, attempts, lives):
    """It would end one worker after the other; where it may fail once only, one kill is not the end yet."""
    in_hand(attempts=attempts)
    for life in range(1, lives):
        assert rescued() == 1
        assert states(queue) == [("test.job", "todo", life)]
        sql("UPDATE procrastinate_jobs SET status = 'doing'")
    rescued()
    assert states(queue) == [("test.job", "failed", lives)]


def test_a_periodic_job_that_is_asked_for_anyway_is_dropped(queue, in_hand, rescued, sql):
    in_hand(cron="0 * * * *")
    sql("UPDATE procrastinate_jobs SET queueing_lock = 'test.job'")
    queue.defer_now("test.job")
    assert rescued() == 1
    assert states(queue) == [("test.job", "todo", 0)]


def test_of_two_periodic_ones_that_died_one_comes_back(queue, in_hand, rescued, sql):
    in_hand(cron="0 * * * *")
    sql("UPDATE procrastinate_jobs SET queueing_lock = 'test.job'")
    queue.defer_now("test.job")
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    assert rescued() == 2
    assert states(queue) == [("test.job", "todo", 1)]


def test_each_is_told_in_the_log_without_its_arguments(in_hand, rescued, caplog):
    in_hand()
    rescued()
    [line] = [
        record.msg for record in caplog.records if isinstance(record.msg, dict) and "job_id" in record.msg
    ]
    assert (line["event"], line["job"], line["outcome"]) == ("job_rescued", "test.job", "waits_again")
    assert "id" not in line


def test_the_worker_looks_for_them_every_minute(parts):
    crons = {task.task.name: task.cron for task in parts.jobs.app.periodic_registry.periodic_tasks.values()}
    assert {crons[name] for name in Sweeps.EVERY_MINUTE} == {"* * * * *"}
    assert set(crons) == set(Sweeps.NAMES) | set(Sweeps.EVERY_MINUTE)
    hourly = [crons[name] for name in Sweeps.NAMES]
    assert len(set(hourly)) == len(hourly), "no two at one minute"
