"""How the queue stands, in figures: what waits counts from when it became due."""

import pytest

from app.core.job_figures import DIED_LATELY, FIGURES, LATELY


@pytest.fixture
def figures(uow):
    def ask():
        with uow.reading():
            session = uow.session
            return dict(session.execute(FIGURES).mappings().one())

    return ask


@pytest.fixture
def died_lately(uow):
    def ask():
        with uow.reading():
            session = uow.session
            return session.execute(DIED_LATELY, {"lately": LATELY}).scalar_one()

    return ask


def fails(**_arguments):
    raise OSError


@pytest.fixture
def asks_for(queue, uow):
    queue.register("test.bad", fails, attempts=1)
    queue.register("test.again", fails)

    def defer(name):
        with uow:
            queue.defer(name)

    return defer


def ages(sql, seconds):
    sql("UPDATE procrastinate_events SET at = at - make_interval(secs => %s)", (seconds,))
    sql("UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(secs => %s)", (seconds,))


def test_an_empty_queue(figures):
    assert figures() == {"waiting": 0, "running": 0, "failed": 0, "oldest_waiting_seconds": 0}


def test_each_state_is_counted(figures, asks_for, queue, sql):
    asks_for("test.bad")
    queue.work()
    asks_for("test.bad")
    sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")
    asks_for("test.bad")
    found = figures()
    assert (found["waiting"], found["running"], found["failed"]) == (1, 1, 1)


def test_the_oldest_counts_from_when_it_was_asked_for(figures, asks_for, sql):
    asks_for("test.bad")
    ages(sql, 600)
    asks_for("test.bad")
    assert 600 <= figures()["oldest_waiting_seconds"] < 700


def test_what_is_not_due_yet_is_not_late(figures, asks_for, queue, sql):
    """A job that failed once and waits for its next try; later that try is due, not the first."""
    asks_for("test.again")
    ages(sql, 600)
    queue.work()
    sql("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() + interval '1 hour'")
    assert (figures()["waiting"], figures()["oldest_waiting_seconds"]) == (1, 0)
    sql("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() - interval '100 s'")
    assert 100 <= figures()["oldest_waiting_seconds"] < 200


def test_what_was_tried_again_by_hand_waits_since_then(figures, asks_for, queue, sql):
    asks_for("test.bad")
    queue.work()
    ages(sql, 3 * 86_400)
    sql("UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL")
    assert figures()["oldest_waiting_seconds"] < 100


def test_a_dead_job_is_told_for_a_day(died_lately, asks_for, queue, sql):
    asks_for("test.bad")
    queue.work()
    assert died_lately() == 1
    ages(sql, (LATELY - 1) * 3_600)
    assert died_lately() == 1
    ages(sql, 2 * 3_600)
    assert died_lately() == 0
