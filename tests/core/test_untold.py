"""Whether every change was told to the caches: asked of PostgreSQL, seldom, and doubted where it cannot be found out."""

import pytest

from app.core.db import make_engine
from app.core.untold import ASKED_EVERY, JOB, UntoldChanges
from app.core.uow import UnitOfWork


@pytest.fixture
def untold(uow):
    return UntoldChanges(uow)


@pytest.fixture
def a_change_waits(queue, uow):
    """As a writer without Redis leaves it."""
    queue.register(JOB, lambda **_of: None)

    def leave():
        with uow:
            queue.defer(JOB, changed=[["project", "p1"]])

    return leave


def test_there_is_none_where_nothing_waits(untold):
    assert untold.none_at() is not None


def test_one_that_waits_is_known_within_a_second(untold, a_change_waits, wall):
    assert untold.none_at() is not None
    a_change_waits()
    wall(ASKED_EVERY)
    assert untold.none_at() is None


def test_one_that_is_being_told_still_counts_and_one_that_was_told_does_not(
    untold, a_change_waits, wall, sql, queue
):
    a_change_waits()
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    assert untold.none_at() is None
    sql("UPDATE procrastinate_jobs SET status = 'todo'")
    queue.work()
    wall(ASKED_EVERY)
    assert untold.none_at() is not None


def test_other_work_that_waits_is_no_change(untold, queue, uow):
    queue.register("mail.send", lambda: None)
    with uow:
        queue.defer("mail.send")
    assert untold.none_at() is not None


def test_it_is_asked_once_for_all_threads_of_a_while_and_none_waits_for_it(untold, statements, at_once, wall):
    """SEC-49: one that finds another asking goes on without an answer."""
    with statements() as seen:
        at_once(8, lambda _number: untold.none_at())
        assert len(seen) == 1
        assert untold.none_at() is not None
        wall(ASKED_EVERY)
        untold.none_at()
        assert len(seen) == 2


def test_while_somebody_asks_the_others_know_nothing(untold):
    with untold._lock:
        assert untold.none_at() is None


def test_an_answer_that_took_too_long_is_none(untold, monkeypatch, wall):
    ask = untold._ask
    monkeypatch.setattr(untold, "_ask", lambda: (ask(), wall(ASKED_EVERY))[0])
    assert untold.none_at() is None
    monkeypatch.setattr(untold, "_ask", lambda: pytest.fail("asked again at once"))
    assert untold.none_at() is None


def test_without_a_database_nobody_knows(settings, dead_port):
    url = f"postgresql+psycopg2://nobody@127.0.0.1:{dead_port}/nothing"
    engine = make_engine(settings.model_copy(update={"database_url": type(settings.database_url)(url)}))
    assert UntoldChanges(UnitOfWork(engine)).none_at() is None
    engine.dispose()
